"""The encoders known by name: where the bundled one lies, and which commit a hub name means.

In: nothing. Out: constants. Guaranteed: a hub name without a revision always means the same commit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

BUNDLED = Path(__file__).resolve().parent.parent / "weights" / "backbone.safetensors"


@dataclass(frozen=True)
class HubEncoder:
    """A network on a hub: the commit that its bare name means, and its authors' licence."""

    revision: str
    license: str


HUB_ENCODERS: Mapping[str, HubEncoder] = {
    # ECAPA-TDNN of SpeechBrain, trained on adults (VoxCeleb); the method's authors start from it.
    "speechbrain/spkrec-ecapa-voxceleb": HubEncoder(
        revision="0f99f2d0ebe89ac095bcc5903c4dd8f72b367286", license="apache-2.0"
    ),
}
