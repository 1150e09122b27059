"""How vectors lie in rows: little-endian float32, the same bytes on every machine."""

import numpy as np
from numpy.typing import NDArray

STORED = np.dtype("<f4")


def to_bytes(vector: NDArray[np.floating]) -> bytes:
    """Return the bytes under which a vector of shape (n,) is stored."""
    return np.ascontiguousarray(vector, dtype=STORED).tobytes()


def from_bytes(stored: bytes | memoryview) -> NDArray[np.float32]:
    """Return the vector of shape (n,) that these bytes hold."""
    return np.frombuffer(bytes(stored), dtype=STORED).astype(np.float32)
