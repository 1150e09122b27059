"""Debian's packages, installed where tests need a program that is not there.

What comes in: names of packages. What goes out: nothing, or why it could not be done, in a few
words. Guaranteed: apt-get is asked only by root, asks nobody anything, and ends.
"""

import os
import shutil
import subprocess

APT_LIMIT_S = 600.0


def install(*packages: str) -> str:
    """Install packages; return why they are not installed, and nothing where they are."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return "installing it takes root and apt-get"
    # RUNLEVEL=1: no package starts a server of its own beside ours.
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    said, status = "", 0
    for words in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        try:
            done = subprocess.run(
                [*apt, *words],
                env=quiet,
                timeout=APT_LIMIT_S,
                text=True,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except subprocess.TimeoutExpired:
            return f"apt-get found no end within {APT_LIMIT_S:.0f} s"
        said, status = done.stdout.strip() or said, done.returncode
    last = said.splitlines()[-1] if said else "it said nothing"
    return f"apt-get could not install it: {last}" if status else ""
