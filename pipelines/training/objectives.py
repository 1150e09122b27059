"""Training: the objectives of the backbone: two of identity, and two of what else it shall hear.

In: unit-length embeddings and their identities. Out: a scalar loss. Guaranteed: each batch is
compared only with identities of its own group (adults, or cries of one kind of phone), so that the
kind of phone is never what tells two infants apart.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

AAM_SCALE = 24.0


def aam_softmax(
    embeddings: "torch.Tensor", centres: "torch.Tensor", labels: "torch.Tensor", margin: float
) -> "torch.Tensor":
    """Additive angular margin softmax.

    Parameters
    ----------
    embeddings
        Unit length, shape ``(n, dim)``.
    centres
        One per identity, any length, shape ``(identities, dim)``.
    labels
        Shape ``(n,)``, rows of ``centres``.
    margin
        Radians added to the angle of the true identity.

    References
    ----------
    Deng, Guo, Xue, Zafeiriou (2019), ArcFace, arXiv:1801.07698.
    """
    import torch
    from torch.nn import functional

    cosine = embeddings @ functional.normalize(centres, dim=1).T
    angle = torch.acos(cosine.clamp(-1.0 + 1e-6, 1.0 - 1e-6))
    own = functional.one_hot(labels, len(centres)).to(embeddings.dtype)
    logits = torch.cos((angle + margin * own).clamp(max=torch.pi))
    return functional.cross_entropy(AAM_SCALE * logits, labels)


def angular_prototypical(
    first: "torch.Tensor", second: "torch.Tensor", scale: "torch.Tensor", bias: "torch.Tensor"
) -> "torch.Tensor":
    """Match every identity's first crop with its second one among all the batch's second ones.

    Parameters
    ----------
    first, second
        Unit length, shape ``(identities, dim)``, row by row the same identity from two recordings.
    scale, bias
        Learnt scalars; the scale is used as its exponential and so stays positive.

    References
    ----------
    Chung et al. (2020), In defence of metric learning for speaker recognition, arXiv:2003.11982.
    """
    import torch
    from torch.nn import functional

    logits = scale.exp() * (first @ second.T) + bias
    labels = torch.arange(len(first), device=first.device)
    return 0.5 * (
        functional.cross_entropy(logits, labels) + functional.cross_entropy(logits.T, labels)
    )


def known_squared_error(said: "torch.Tensor", wanted: "torch.Tensor") -> "torch.Tensor":
    """Mean squared error over what is known; zero where nothing is.

    Parameters
    ----------
    said
        Shape ``(n, targets)``.
    wanted
        The same shape, NaN where unknown.
    """
    known = wanted.isfinite()
    error = (said - wanted.nan_to_num()).square() * known
    return error.sum() / known.sum().clamp(min=1)


def shared_variance(vectors: "torch.Tensor", nuisance: "torch.Tensor") -> "torch.Tensor":
    """Mean squared correlation between the coordinates of vectors and those of a nuisance.

    Parameters
    ----------
    vectors
        Shape ``(n, dim)``.
    nuisance
        Shape ``(n, m)``: what vectors shall not follow.

    Returns
    -------
    Tensor
        Scalar in [0, 1]; about ``1 / n`` for unrelated ones.
    """
    one = vectors - vectors.mean(dim=0)
    other = nuisance - nuisance.mean(dim=0)
    one = one / one.norm(dim=0).clamp(min=1e-6)
    other = other / other.norm(dim=0).clamp(min=1e-6)
    return (one.T @ other).square().mean()
