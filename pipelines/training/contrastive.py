"""Training: the two contrastive objectives of fine-tuning, NT-Xent and GE2E.

In: embeddings, several of each of many infants. Out: a scalar loss. Guaranteed: pure functions of
their arguments; an embedding is never compared with itself; an infant's own centroid never holds
the embedding that is compared with it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

TEMPERATURE = 0.1


def nt_xent(
    first: "torch.Tensor", second: "torch.Tensor", temperature: float = TEMPERATURE
) -> "torch.Tensor":
    """Normalised temperature-scaled cross entropy: find the partner among all the others.

    Parameters
    ----------
    first, second
        Any length but zero, shape ``(n, dim)`` with ``n >= 2``, row by row a positive pair; every
        other row of either is a negative.
    temperature
        Above 0: the smaller, the more the hardest negatives count.

    References
    ----------
    Chen, Kornblith, Norouzi, Hinton (2020), A simple framework for contrastive learning of visual
    representations, arXiv:2002.05709.
    """
    import torch
    from torch.nn import functional

    both = functional.normalize(torch.cat([first, second]), dim=1)
    logits = both @ both.T / temperature
    itself = torch.eye(len(both), dtype=torch.bool, device=both.device)
    partner = torch.arange(len(both), device=both.device).roll(len(first))
    return functional.cross_entropy(logits.masked_fill(itself, -torch.inf), partner)


def ge2e(embeddings: "torch.Tensor", scale: "torch.Tensor", bias: "torch.Tensor") -> "torch.Tensor":
    """Generalised end-to-end loss in its softmax form: find the own centroid among all.

    Parameters
    ----------
    embeddings
        Any length but zero, shape ``(infants, each, dim)``, at least two infants and two of each.
    scale, bias
        Learnt scalars; the scale is used as its exponential and so stays positive.

    References
    ----------
    Wan, Wang, Papir, Lopez Moreno (2018), Generalized end-to-end loss for speaker verification,
    arXiv:1710.10467.
    """
    import torch
    from torch.nn import functional

    infants, each, _ = embeddings.shape
    unit = functional.normalize(embeddings, dim=2)
    total = unit.sum(dim=1)
    others = functional.normalize(total[:, None] - unit, dim=2)  # the own centroid without itself
    cosine = torch.einsum("iud,kd->iuk", unit, functional.normalize(total, dim=1))
    own = torch.eye(infants, dtype=torch.bool, device=unit.device)[:, None].expand(-1, each, -1)
    cosine = torch.where(own, (unit * others).sum(dim=2, keepdim=True), cosine)
    labels = torch.arange(infants, device=unit.device).repeat_interleave(each)
    return functional.cross_entropy((scale.exp() * cosine + bias).reshape(-1, infants), labels)
