"""Control: what a recording tells while nobody cries, as scores of pairs.

In: the two ways in which ``pipelines.room`` hears a background. Out: a score for each pair.
Guaranteed: no cry unit is looked for.

Each is whitened on other infants, and the cosines are added. Over infants that an encoder
may hear in training this was the strongest of the forms tried (5, 10, 20 and 35 % of the frames,
mel bands or cepstra, frames between the cry units, levels as uploaded, side by side or added):
equal error rate 20.9 % over all pairs and 25.7 % more than an hour apart, where the quietest fifth
alone has 25.3 and 30.1. A weak control flatters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.pairs import Pairs, Vectors, summed_scores
from pipelines.room import VIEW_SIZE, background_views

__all__ = ["background_scores", "background_views"]


def background_scores(views: Vectors, pairs: Pairs) -> NDArray[np.float64]:
    """Score pairs by their backgrounds; vectors of one view alone are taken as they are."""
    return summed_scores(views, pairs, max(1, views.shape[1] // VIEW_SIZE))
