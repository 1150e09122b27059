"""Which infants no training may see: the one rule every training command shares.

What goes in is an infant's identifier and how many recordings it has; what comes out is whether
everything trained in this project must leave it aside. The personal protocol needs infants with
many recordings that no network has heard, so those are all held out; a share of the others,
chosen by a hash of the identifier, keeps infants with few recordings in the held-out group too.
The answer depends on nothing else: no seed, no order, no other infant.
"""

from __future__ import annotations

import hashlib

HELD_OUT_FROM_RECORDINGS = 8
HELD_OUT_FRAC = 0.15
RULE = (
    f"held out: every infant with at least {HELD_OUT_FROM_RECORDINGS} recordings, and "
    f"{HELD_OUT_FRAC:.0%} of the others by the SHA-256 of the identifier"
)


def is_held_out(infant: str, n_recordings: int) -> bool:
    """Say whether training must leave this infant aside.

    Parameters
    ----------
    infant
        The infant's identifier as the manifest spells it.
    n_recordings
        How many recordings of this infant the whole manifest has.

    Returns
    -------
    bool
        True for every infant with at least ``HELD_OUT_FROM_RECORDINGS`` recordings and for a
        share ``HELD_OUT_FRAC`` of the others, the same on every machine.
    """
    if n_recordings >= HELD_OUT_FROM_RECORDINGS:
        return True
    digest = hashlib.sha256(infant.encode("utf-8")).digest()
    return int.from_bytes(digest[:8], "big") < HELD_OUT_FRAC * 2**64
