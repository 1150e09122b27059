# %% [markdown]
# # Reading an installation
#
# Cells of a notebook in a plain file: editors and Jupyter (with jupytext) open it as one, and
# `PYTHONPATH=. python docs/examples/reading_scores.py` runs it. Nothing is written. Data frames
# need pandas, which ICLAS itself does not install. Research use only; not a medical device.

# %%
"""Read infants, scores and embeddings of an installation, and look at each."""

import numpy as np

from iclas.research import open_installation

installation = open_installation()  # or open_installation(person="somebody"), with those rights

# %% [markdown]
# ## Who is there

# %%
infants = installation.infants()
for one in infants:
    print(one.id, one.time_zone, f"{one.n_recordings} recordings")

# %% [markdown]
# ## Scores
#
# A row for each recording; docs/exports.md describes the columns. `p_value` says how often a usual
# recording of the same infant is as far from the baseline: small is unusual. Where there is none,
# `no_score_because` says why, and nothing stands in for it.

# %%
frame = installation.recordings().to_pandas()
print(frame[["recorded_at", "outcome", "p_value", "no_score_because"]].tail())

# %% [markdown]
# How many recordings were scored, and how many of these are unusual at one in twenty, by infant.
# Promises hold for sessions (`session_p_value`): the recordings of one are too alike.

# %%
scored = frame[frame["outcome"] == "scored"]
sessions = scored.drop_duplicates("session").dropna(subset=["session_p_value"])
by_infant = sessions.groupby("infant")["session_p_value"]
print(by_infant.agg(n="size", unusual_frac=lambda p: float((p <= 0.05).mean())))

# %% [markdown]
# ## Embeddings
#
# One vector of unit length for each cry: the product of two is their cosine, 1 where they are the
# same.

# %%
embeddings = [installation.embeddings(one.id) for one in infants]
for one, found in zip(infants, embeddings, strict=True):
    if len(found.vectors) > 1:
        alike = found.vectors @ found.vectors.T
        pairs = alike[np.triu_indices(len(alike), k=1)]
        print(one.id, f"{len(alike)} cries, median cosine {np.median(pairs):.2f}")
