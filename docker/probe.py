"""Is the process of this container alive? For health checks; the standard library is all it needs.

In: an address that must answer, or the file that `ICLAS_ALIVE_FILE` names and its process keeps
touching. Out: status 0 where it is alive, otherwise 1 and one line that says why.
"""

import sys
import time
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

SILENT_AFTER_S = 120.0
ANSWERS_WITHIN_S = 5.0


def main(words: list[str]) -> int:
    """Tell by the exit status."""
    [what] = words
    reason = _mute(what) if what.startswith("http:") else _still(Path(what))
    if reason:
        sys.stderr.write(f"{what}: {reason}\n")
    return int(bool(reason))


def _mute(address: str) -> str:
    """Return why an address does not count as answering, or nothing."""
    try:
        with urlopen(address, timeout=ANSWERS_WITHIN_S):  # noqa: S310  http only, see above
            return ""
    except (OSError, HTTPException) as error:  # an answer such as 503 is an OSError too
        return str(error) or type(error).__name__


def _still(file: Path) -> str:
    """Return why a file does not count as kept up, or nothing."""
    try:
        age_s = time.time() - file.stat().st_mtime
    except OSError as error:
        return error.strerror or str(error)
    return f"no sign of life for {age_s:.0f} s" if age_s > SILENT_AFTER_S else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
