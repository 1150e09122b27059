"""Debian's Chromium, in which the pages are opened as people open them.

What comes in: nothing. What goes out: where it lies, or why it is not there. Guaranteed: only
Debian's own package is used, never a browser that a test tool fetches for itself.
"""

from pathlib import Path

from tests.services import debian

PROGRAM = Path("/usr/bin/chromium")
FONTS = ("fonts-noto-core", "fonts-dejavu-core")
"""What the pages' languages are written with; a browser without them draws boxes."""
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
"""Nothing of its own goes out to the network. Root may not use the sandbox."""


def installed() -> str:
    """Install it where it is missing; return why it is not there, and nothing where it is."""
    if PROGRAM.exists():
        return ""
    failure = debian.install("chromium", *FONTS)
    return "" if PROGRAM.exists() else f"Chromium is not installed, and {failure}"
