"""Made-up recordings, as the first stages would have heard them, for tests of the evaluation."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from pipelines.manifest import ManifestRow
from pipelines.recordings import Heard
from pipelines.segment import Quality, Unit

START = datetime(2024, 1, 1, tzinfo=UTC)
UNITS = (Unit(0.0, 1.0), Unit(1.5, 2.5))


def a_recording(
    infant: str,
    number: int,
    days: float,
    device: str = "ios",
    voice: float = 1.0,
    room: float = 0.0,
) -> Heard:
    """Make a recording whose embeddings hold so much of the infant, and its background so much."""
    mine = np.random.default_rng(hash_of(infant))
    direction, place = mine.normal(size=192), mine.normal(size=80)
    chance = np.random.default_rng([hash_of(infant), number])
    units = voice * direction + chance.normal(size=(2, 192))
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    return Heard(
        row=ManifestRow(
            file=Path(f"/made-up/{infant}-{number}.wav"),
            infant=infant,
            recorded_at=START + timedelta(days=days),
            device=device,
            age_days=60.0,
        ),
        quality=Quality(-20.0 + chance.normal(), -1.0, 0.0, 30.0, 4000.0, -50.0),
        units=UNITS,
        measures=({}, {}),
        features=np.zeros(80, dtype=np.float32),
        background=(room * place + chance.normal(size=80)).astype(np.float32),
        embeddings=units.astype(np.float32),
    )


def hash_of(name: str) -> int:
    """Turn a name into a number, the same in every process."""
    return int.from_bytes(name.encode()[:6], "big")


def a_corpus(
    infants: int = 8, days: int = 10, voice: float = 1.0, room: float = 0.0
) -> dict[str, list[Heard]]:
    """Make infants who each cry once a day."""
    return {
        f"inf{number:02d}": [
            a_recording(f"inf{number:02d}", day, float(day), voice=voice, room=room)
            for day in range(days)
        ]
        for number in range(infants)
    }
