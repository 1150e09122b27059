"""Autoencoder: the layers it should have, rebuilt as torch would, and light to load."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.detectors.autoencoder import (
    HIDDEN_WIDTHS,
    LEARNING_RATE,
    STACKED,
    STEPS,
    Autoencoder,
    _first_layers,
    fit_many,
)
from pipelines.errors import ConfigError
from tests.pipelines.detectors.baselines import WIDTH, units_of

ROOT = Path(__file__).parents[3]


def test_layers_are_those_of_the_method() -> None:
    arrays = Autoencoder().fit(*units_of(30), 0).arrays()
    shapes = [arrays[f"weights_{index}"].shape for index in range(6)]
    assert shapes == [(192, 128), (128, 64), (64, 32), (32, 64), (64, 128), (128, 192)]
    assert HIDDEN_WIDTHS == (128, 64, 32, 64, 128)
    assert {arrays[f"weights_{index}"].dtype.name for index in range(6)} == {"float32"}


def test_scoring_in_numpy_agrees_with_torch() -> None:
    import torch

    detector = Autoencoder().fit(*units_of(60), 0)
    arrays, (others, _) = detector.arrays(), units_of(20, seed=1)
    scaled = torch.tensor((others - arrays["centre"]) * np.sqrt(WIDTH))
    values = scaled
    for index in range(6):
        weights, biases = arrays[f"weights_{index}"], arrays[f"biases_{index}"]
        linear = torch.nn.functional.linear(
            values, torch.tensor(weights.T).double(), torch.tensor(biases).double()
        )
        values = torch.relu(linear) if index < 5 else linear
    expected = torch.nn.functional.mse_loss(values, scaled, reduction="none").mean(dim=1)
    np.testing.assert_allclose(detector.score(others), expected.numpy(), rtol=1e-9)


def taught_by_torch(units: NDArray[np.float64], seed: int) -> list[NDArray[np.float32]]:
    """Train the same net with torch's own layers, gradients and loss."""
    import torch

    parts = [torch.tensor(part) for layer in _first_layers(WIDTH, seed) for part in layer]
    net = torch.nn.Sequential()
    for weights, biases in zip(parts[::2], parts[1::2], strict=True):
        linear = torch.nn.Linear(*weights.shape)
        linear.weight.data, linear.bias.data = weights.T.contiguous(), biases
        net.extend([linear, torch.nn.ReLU()])
    net.pop(-1)
    inputs = torch.tensor((units - units.mean(axis=0)) * np.sqrt(WIDTH), dtype=torch.float32)
    optimiser = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE)
    for _ in range(STEPS):
        optimiser.zero_grad()
        torch.autograd.backward(torch.nn.functional.mse_loss(net(inputs), inputs))
        optimiser.step()
    return [part.detach().numpy() for part in net.parameters()]


def test_the_gradients_written_out_are_those_of_autograd() -> None:
    units, _ = units_of(40)
    arrays = Autoencoder().fit(units, np.zeros(40, dtype=np.int64), 5).arrays()
    theirs = taught_by_torch(units.astype(np.float64), 5)
    for index in range(6):
        weights, biases = arrays[f"weights_{index}"], arrays[f"biases_{index}"]
        np.testing.assert_allclose(weights.T, theirs[2 * index], rtol=0, atol=1e-5)
        np.testing.assert_allclose(biases, theirs[2 * index + 1], rtol=0, atol=1e-5)


def test_infants_fitted_together_are_as_if_each_were_alone() -> None:
    lengths = [31, 7, 60, 1, 24, 43, 12][: 2 * STACKED + 1]
    baselines = [units_of(count, infant=index)[0] for index, count in enumerate(lengths)]
    others, _ = units_of(20, seed=1)
    together = fit_many(baselines, range(len(baselines)))
    for seed, (own, one) in enumerate(zip(baselines, together, strict=True)):
        alone = Autoencoder().fit(own, np.zeros(len(own), dtype=np.int64), seed)
        np.testing.assert_allclose(one.score(others), alone.score(others), rtol=1e-4)
        assert one.arrays()["weights_0"].shape == (WIDTH, 128)


def test_nobody_is_fitted_together_with_nobody() -> None:
    assert fit_many([], []) == []


@pytest.mark.parametrize(
    ("baselines", "seeds"),
    [
        ([np.ones((3, 4)), np.ones((3, 5))], [0, 0]),
        ([np.ones((3, 4)), np.ones((0, 4))], [0, 0]),
        ([np.ones((3, 4))], []),
        ([np.full((3, 4), np.nan)], [0]),
    ],
    ids=["other widths", "no units", "no seed", "not a number"],
)
def test_infants_that_cannot_be_fitted_together_are_a_named_error(
    baselines: list[NDArray[np.float64]], seeds: list[int]
) -> None:
    with pytest.raises(ConfigError):
        fit_many(baselines, seeds)


def test_training_lowers_the_error_of_what_it_has_heard() -> None:
    units, sessions = units_of(150)
    spread = ((units - units.mean(axis=0)) ** 2).mean() * WIDTH  # what the mean alone would leave
    assert Autoencoder().fit(units, sessions, 0).score(units).mean() < 0.6 * spread


def test_other_seeds_give_other_nets() -> None:
    units, sessions = units_of(30)
    one, two = (Autoencoder().fit(units, sessions, seed).score(units) for seed in (0, 1))
    assert not np.array_equal(one, two)


def test_the_number_of_threads_is_left_as_it_was() -> None:
    import torch

    before = torch.get_num_threads()
    Autoencoder().fit(*units_of(10), 0)
    assert torch.get_num_threads() == before


def test_loading_and_scoring_need_neither_torch_nor_scikit_learn() -> None:
    program = (
        "import sys, numpy as np\n"
        "from pipelines.detectors import DETECTORS\n"
        "import pipelines.score\n"
        "widths = (192, 128, 64, 32, 64, 128, 192)\n"
        "arrays = {'centre': np.zeros(192)}\n"
        "for i, (a, b) in enumerate(zip(widths, widths[1:])):\n"
        "    arrays[f'weights_{i}'] = np.ones((a, b), dtype=np.float32)\n"
        "    arrays[f'biases_{i}'] = np.ones(b, dtype=np.float32)\n"
        "assert DETECTORS['autoencoder'].from_arrays(arrays).score(np.ones((2, 192))).all()\n"
        "print(sorted({'torch', 'sklearn'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_the_score_is_a_mean_over_elements(scale: float) -> None:
    centre = np.zeros(4)
    layers = {}
    for index, (n_in, n_out) in enumerate([(4, 3), (3, 2), (2, 1), (1, 2), (2, 3), (3, 4)]):
        layers[f"weights_{index}"] = np.zeros((n_in, n_out), dtype=np.float32)
        layers[f"biases_{index}"] = np.zeros(n_out, dtype=np.float32)
    unit = scale * np.array([[1.0, 2.0, 0.0, 0.0]])
    score = Autoencoder.from_arrays({"centre": centre} | layers).score(unit)
    assert score == pytest.approx([scale**2 * 5.0 * 4 / 4])  # scaled by the root of the width
