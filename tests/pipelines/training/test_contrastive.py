"""NT-Xent and GE2E: against the formulas written out, and what makes them fall."""

import numpy as np
import pytest
import torch

from pipelines.training.contrastive import ge2e, nt_xent

SCALE, BIAS = torch.tensor(float(np.log(10.0))), torch.tensor(-5.0)


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_nt_xent_is_the_formula_of_its_paper() -> None:
    first, second = drawn(5, 8), drawn(5, 8, seed=1)
    both = unit(np.concatenate([first.numpy(), second.numpy()]))
    losses = []
    for own in range(10):
        likeness = np.exp(both @ both[own] / 0.2)
        others = [k for k in range(10) if k != own]
        losses.append(-np.log(likeness[(own + 5) % 10] / likeness[others].sum()))
    assert nt_xent(first, second, 0.2).item() == pytest.approx(np.mean(losses), rel=1e-5)


def test_ge2e_is_the_formula_of_its_paper() -> None:
    vectors = drawn(4, 3, 8)
    own = unit(vectors.numpy())
    losses = []
    for infant in range(4):
        for cry in range(3):
            logits = []
            for other in range(4):
                left_out = [k for k in range(3) if other != infant or k != cry]
                centroid = unit(own[other][left_out].mean(axis=0))
                logits.append(10.0 * own[infant, cry] @ centroid - 5.0)
            losses.append(-logits[infant] + np.log(np.exp(logits).sum()))
    assert ge2e(vectors, SCALE, BIAS).item() == pytest.approx(np.mean(losses), rel=1e-5)


def test_matching_pairs_lose_less_than_strangers() -> None:
    first = drawn(8, 16)
    near = first + 0.1 * drawn(8, 16, seed=1)
    assert nt_xent(first, near) < 0.1 * nt_xent(first, near.flip(0))
    assert ge2e(torch.stack([first, near], 1), SCALE, BIAS) < ge2e(
        torch.stack([first, near.flip(0)], 1), SCALE, BIAS
    )


def test_the_length_of_embeddings_plays_no_part() -> None:
    first, second = drawn(6, 8), drawn(6, 8, seed=1)
    longer = first * torch.arange(1, 7)[:, None]
    assert nt_xent(longer, second).item() == pytest.approx(nt_xent(first, second).item(), rel=1e-5)
    pairs, stretched = torch.stack([first, second], 1), torch.stack([longer, second], 1)
    assert ge2e(stretched, SCALE, BIAS).item() == pytest.approx(
        ge2e(pairs, SCALE, BIAS).item(), rel=1e-5
    )


def test_it_does_not_matter_which_of_a_pair_comes_first() -> None:
    first, second = drawn(6, 8), drawn(6, 8, seed=1)
    assert nt_xent(first, second).item() == pytest.approx(nt_xent(second, first).item(), rel=1e-5)


@pytest.mark.parametrize("objective", ["nt-xent", "ge2e"])
def test_following_the_gradient_brings_pairs_together(objective: str) -> None:
    pairs = drawn(6, 2, 8).requires_grad_()
    optimiser = torch.optim.SGD([pairs], lr=0.5)
    losses = []
    for _ in range(60):
        both = nt_xent(pairs[:, 0], pairs[:, 1]) if objective == "nt-xent" else None
        loss = ge2e(pairs, SCALE, BIAS) if both is None else both
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
    assert (torch.cosine_similarity(pairs[:, 0], pairs[:, 1], dim=1) > 0.5).all()
