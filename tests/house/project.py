"""The project's own files, as its house tests read them."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def files() -> tuple[Path, ...]:
    """Return every file that is, or would be, committed; the weather of a work tree is left out."""
    # safe.directory: in some builds the checkout belongs to another account.
    git = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others"]
    listed = subprocess.run(
        [*git, "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = sorted(ROOT / name for name in listed.stdout.split("\0") if name)
    return tuple(path for path in paths if path.is_file())


def named(path: Path) -> str:
    """Return the path as one reads it in the project."""
    return path.relative_to(ROOT).as_posix()


def texts() -> Iterator[tuple[Path, str]]:
    """Yield every text file with what it says."""
    for path in files():
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


@cache
def modules() -> dict[Path, ast.Module]:
    """Return every Python module, parsed; Django's migrations are left out."""
    sources = [path for path in files() if path.suffix == ".py" and "migrations" not in path.parts]
    return {path: ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in sources}


def imported(tree: ast.Module) -> set[str]:
    """Return the top-level names that a module imports, anywhere in it."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def packages() -> set[str]:
    """Return the top-level packages of the product."""
    return {path.parent.name for path in files() if path.name == "__init__.py" and is_top(path)}


def is_top(path: Path) -> bool:
    """Tell whether a file lies in a top folder that is not the tests'."""
    return path.parent.parent == ROOT and path.parent.name not in {"tests", "benchmarks"}
