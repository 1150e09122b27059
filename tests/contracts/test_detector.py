"""What every detector promises: the same tests for all of them, controls included."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.artefacts import read_artefact, write_artefact
from pipelines.detectors import DETECTORS, DUMMIES
from pipelines.detectors.contract import Detector, FitsFolds, fit_folds, split_groups
from pipelines.errors import ConfigError, NotFittedError
from tests.pipelines.detectors.baselines import WIDTH, units_of

ROOT = Path(__file__).parents[2]
LEVEL_METER = "level_meter"
EVERY = sorted(DETECTORS | DUMMIES)
CONSTANT = {"always_fire", "never_fire"}

Units = NDArray[np.float32]
Groups = NDArray[np.int64]


def baseline_for(name: str, n_units: int = 60) -> tuple[Units, Groups]:
    """Return a baseline of the kind that this detector learns from, and its groups."""
    units, groups = units_of(n_units)
    return (units[:, :1] * 100 - 30 if name == LEVEL_METER else units), groups


def others_for(name: str, n_units: int = 20) -> Units:
    """Return units that the detector has not heard."""
    units, _ = units_of(n_units, seed=1)
    return units[:, :1] * 100 - 30 if name == LEVEL_METER else units


def fitted(name: str, n_units: int = 60, seed: int = 3) -> Detector:
    """Return the detector, fitted."""
    return (DETECTORS | DUMMIES)[name]().fit(*baseline_for(name, n_units), seed)


def bits(scores: NDArray[np.float64]) -> str:
    """Return a digest of the exact scores."""
    return hashlib.sha256(scores.tobytes()).hexdigest()


def fold_scores(
    name: str, folds: list[NDArray[np.bool_]], seed: int = 3
) -> list[NDArray[np.float64]]:
    """Return what the detector scores others by, fitted without each fold."""
    x, groups = baseline_for(name)
    unfitted, others = (DETECTORS | DUMMIES)[name](), others_for(name)
    return [one.score(others) for one in fit_folds(unfitted, x, groups, folds, seed)]


@pytest.fixture
def folds() -> list[NDArray[np.bool_]]:
    """Leave out folds of different lengths, one of them nothing at all."""
    groups = units_of(60)[1]
    return [*split_groups(groups, 5), groups == 2, np.zeros(60, dtype=np.bool_)]


@pytest.fixture(params=EVERY)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_name_is_the_one_it_is_known_by(name: str) -> None:
    assert (DETECTORS | DUMMIES)[name].name == name


def test_the_same_seed_gives_the_same_bits(name: str) -> None:
    others = others_for(name)
    assert bits(fitted(name).score(others)) == bits(fitted(name).score(others))


def test_a_fresh_process_gives_the_same_bits(name: str) -> None:
    program = (
        "from tests.contracts.test_detector import bits, fitted, others_for\n"
        f"print(bits(fitted({name!r}).score(others_for({name!r}))))"
    )
    # A hash seed and a global state of its own: nothing may depend on either.
    answer = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "77"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == bits(fitted(name).score(others_for(name)))


def test_the_global_generators_are_left_alone(name: str) -> None:
    import torch

    np.random.seed(5)
    torch.manual_seed(5)
    before = bits(fitted(name).score(others_for(name)))
    state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()
    np.random.seed(6)
    torch.manual_seed(6)
    assert bits(fitted(name).score(others_for(name))) == before
    np.random.seed(5)
    torch.manual_seed(5)
    np.testing.assert_array_equal(state, np.random.get_state()[1])
    assert torch.equal(torch_state, torch.get_rng_state())


def test_fitting_returns_another_object_and_leaves_this_one_unfitted(name: str) -> None:
    detector = (DETECTORS | DUMMIES)[name]()
    assert detector.fit(*baseline_for(name), 0) is not detector
    with pytest.raises(NotFittedError):
        detector.score(others_for(name))


def test_no_score_and_no_arrays_before_fitting(name: str) -> None:
    detector = (DETECTORS | DUMMIES)[name]()
    with pytest.raises(NotFittedError) as refused:
        detector.score(others_for(name))
    assert refused.value.model == name
    with pytest.raises(NotFittedError):
        detector.arrays()


def test_inputs_are_not_touched_and_may_be_read_only(name: str) -> None:
    x, groups = baseline_for(name)
    others = others_for(name)
    copies = [array.copy() for array in (x, groups, others)]
    for array in (x, groups, others):
        array.setflags(write=False)
    (DETECTORS | DUMMIES)[name]().fit(x, groups, 0).score(others)
    for array, copy in zip((x, groups, others), copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_what_was_learnt_does_not_follow_later_changes_of_the_inputs(name: str) -> None:
    x, groups = baseline_for(name)
    detector = (DETECTORS | DUMMIES)[name]().fit(x, groups, 0)
    before = bits(detector.score(others_for(name)))
    x[:] = 0.0
    for array in detector.arrays().values():
        array *= 0
    assert bits(detector.score(others_for(name))) == before


def test_single_and_double_precision_score_alike(name: str) -> None:
    x, groups = baseline_for(name)
    others = others_for(name)
    single = fitted(name).score(others)
    double = (DETECTORS | DUMMIES)[name]().fit(x.astype(np.float64), groups, 3)
    np.testing.assert_allclose(double.score(others.astype(np.float64)), single, rtol=1e-9)


def test_scores_are_doubles_one_a_row_and_finite(name: str) -> None:
    scores = fitted(name).score(others_for(name))
    assert (scores.dtype, scores.shape) == (np.float64, (20,))
    assert np.isfinite(scores).all()


def test_memory_layout_does_not_matter(name: str) -> None:
    others = np.asfortranarray(others_for(name))
    assert bits(fitted(name).score(others)) == bits(fitted(name).score(others_for(name)))


def test_a_row_scores_the_same_alone_and_in_company(name: str) -> None:
    detector, others = fitted(name), others_for(name)
    alone = np.concatenate([detector.score(others[i : i + 1]) for i in range(len(others))])
    np.testing.assert_allclose(detector.score(others), alone, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(detector.score(others[::-1])[::-1], alone, rtol=1e-9, atol=1e-12)


def test_no_rows_have_no_scores(name: str) -> None:
    assert fitted(name).score(others_for(name)[:0]).shape == (0,)


@pytest.mark.parametrize("n_units", [1, 2, 3, 4])
def test_a_handful_of_rows_can_be_learnt(name: str, n_units: int) -> None:
    scores = fitted(name, n_units).score(others_for(name))
    assert np.isfinite(scores).all()


def test_equal_rows_can_be_learnt(name: str) -> None:
    x, groups = baseline_for(name, 12)
    same = np.repeat(x[:1], 12, axis=0)
    scores = (DETECTORS | DUMMIES)[name]().fit(same, groups, 0).score(others_for(name))
    assert np.isfinite(scores).all()


def test_what_is_saved_and_loaded_scores_the_same_bits(name: str, tmp_path: Path) -> None:
    detector, others = fitted(name), others_for(name)
    facts = {"kind": "detector", "format_version": 1, "encoder_fingerprint": ""}
    write_artefact(tmp_path / "detector", detector.arrays(), facts)
    arrays = read_artefact(tmp_path / "detector", "detector", 1).arrays
    loaded = type(detector).from_arrays(arrays)
    assert bits(loaded.score(others)) == bits(detector.score(others))
    assert loaded.arrays().keys() == detector.arrays().keys()


def test_missing_arrays_are_named(name: str) -> None:
    detector = (DETECTORS | DUMMIES)[name]
    with pytest.raises(ConfigError, match=next(iter(fitted(name).arrays()))):
        detector.from_arrays({})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda x, g: (x[0, 0], g),
        lambda x, g: (x[None], g),
        lambda x, g: (x[:, :0], g),
        lambda x, g: (x[:0], g[:0]),
        lambda x, g: (x, g[:-1]),
        lambda x, g: (x, g[:, None]),
        lambda x, g: (x, g.astype(np.float64)),
        lambda x, g: (x.astype(np.complex64), g),
        lambda x, g: (np.where(np.arange(len(x))[:, None] == 3, np.nan, x), g),
        lambda x, g: (np.where(np.arange(len(x))[:, None] == 3, np.inf, x), g),
    ],
    ids=[
        "a number",
        "three dimensions",
        "no columns",
        "no rows",
        "a group too few",
        "groups as a matrix",
        "groups that are no integers",
        "complex numbers",
        "not a number",
        "infinite",
    ],
)
def test_a_baseline_that_does_not_fit_is_a_named_error(name: str, spoil: object) -> None:
    assert callable(spoil)
    with pytest.raises(ConfigError):
        (DETECTORS | DUMMIES)[name]().fit(*spoil(*baseline_for(name)), 0)


def test_units_that_do_not_fit_are_a_named_error(name: str) -> None:
    detector, others = fitted(name), others_for(name)
    nan = np.full_like(others, np.nan)
    for wrong in (np.hstack([others, others]), others[None], nan, others.astype(str)):
        with pytest.raises(ConfigError):
            detector.score(wrong)


def test_folds_give_the_same_bits_again(name: str, folds: list[NDArray[np.bool_]]) -> None:
    once, again = (fold_scores(name, folds) for _ in range(2))
    assert [bits(scores) for scores in once] == [bits(scores) for scores in again]


def test_a_fold_does_not_depend_on_those_beside_it(
    name: str, folds: list[NDArray[np.bool_]]
) -> None:
    together = fold_scores(name, folds)
    alone = [fold_scores(name, [fold])[0] for fold in folds]
    turned = fold_scores(name, folds[::-1])[::-1]
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-12)
    np.testing.assert_allclose(together, turned, rtol=1e-4, atol=1e-12)


def test_a_fold_that_leaves_nothing_out_is_the_fit(
    name: str, folds: list[NDArray[np.bool_]]
) -> None:
    whole = fitted(name).score(others_for(name))
    np.testing.assert_allclose(fold_scores(name, folds)[-1], whole, rtol=1e-4, atol=1e-12)


def test_what_a_fold_leaves_out_is_never_learnt_from(name: str) -> None:
    # The settings may have seen it, so other cries of the infant, which ask for the same settings,
    # take its place.
    x, groups = baseline_for(name)
    left_out = groups == 4
    changed = x.copy()
    changed[left_out] = others_for(name, int(left_out.sum()))
    others = others_for(name)
    scores = [
        next(fit_folds((DETECTORS | DUMMIES)[name](), rows, groups, [left_out], 3)).score(others)
        for rows in (x, changed)
    ]
    assert bits(scores[0]) == bits(scores[1])


def test_folds_leave_the_inputs_and_the_detector_alone(
    name: str, folds: list[NDArray[np.bool_]]
) -> None:
    x, groups = baseline_for(name)
    copies = [array.copy() for array in (x, groups, *folds)]
    for array in (x, groups, *folds):
        array.setflags(write=False)
    unfitted = (DETECTORS | DUMMIES)[name]()
    assert len(list(fit_folds(unfitted, x, groups, folds, 0))) == len(folds)
    for array, copy in zip((x, groups, *folds), copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    with pytest.raises(NotFittedError):
        unfitted.score(others_for(name))


def test_no_folds_need_no_fit(name: str) -> None:
    assert fold_scores(name, []) == []


def test_the_real_detectors_fit_their_folds_together() -> None:
    assert {name for name in EVERY if isinstance((DETECTORS | DUMMIES)[name](), FitsFolds)} == set(
        DETECTORS
    )


@pytest.mark.parametrize(
    "fold",
    [np.ones(60, dtype=np.bool_), np.zeros(59, dtype=np.bool_), np.zeros(60, dtype=np.int64)],
    ids=["nothing left", "a row too few", "no truth values"],
)
def test_a_fold_that_does_not_fit_is_a_named_error(name: str, fold: NDArray[np.bool_]) -> None:
    with pytest.raises(ConfigError, match="a fold"):
        fold_scores(name, [fold])


@pytest.mark.parametrize("name", sorted(DETECTORS))
def test_another_infant_scores_higher(name: str) -> None:
    stranger, _ = units_of(20, infant=1)
    own = fitted(name).score(others_for(name))
    assert fitted(name).score(stranger).min() > own.max()


def test_a_score_of_exactly_zero_is_a_score() -> None:
    assert fitted("never_fire").score(others_for("never_fire")).tolist() == [0.0] * 20
    meter = fitted(LEVEL_METER)
    median = np.median(baseline_for(LEVEL_METER)[0].astype(np.float64))
    assert meter.score(np.array([[median]])).tolist() == [0.0]
    one = np.ones((1, WIDTH), dtype=np.float32) / np.sqrt(WIDTH)
    boundary = DETECTORS["ocsvm"]().fit(one, np.zeros(1, dtype=np.int64), 0)
    assert boundary.score(one).tolist() == [0.0]  # a boundary around one unit runs through it
