"""What the project's files may not hold, and how long a function may be."""

import ast
import re
import statistics
from pathlib import Path

import pytest

from tests.house import project

AUDIO = {
    *(".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".caf", ".3gp", ".amr", ".webm"),
    *(".aif", ".aiff", ".wma"),
}
PICKLING = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
# A home folder, or a folder that only one machine has. Containers' own folders (/srv, /var) pass.
MACHINE_PATH = re.compile(r"(?<![\w.~}<-])/(?:home|root|Users|work|mnt|media|private)/\w")
MEDIAN_LINES = 10
LONG_LINES = 30
MOST_LINES = 60


def functions() -> list[tuple[int, str]]:
    """Return every function's length in lines, docstring included, with its name."""
    return [
        ((node.end_lineno or node.lineno) - node.lineno + 1, f"{project.named(path)}:{node.name}")
        for path, tree in project.modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def takes_only_the_error(tree: ast.Module) -> bool:
    """Tell whether all that a module takes from pickle is the name of its error.

    Reading weights as weights only raises `UnpicklingError`; to catch it is not to pickle.
    """
    taken = [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if "pickle" in (alias.name, getattr(node, "module", None))
    ]
    return taken == ["UnpicklingError"]


def arguments(tree: ast.Module, called: str) -> list[dict[str | None, str]]:
    """Return the keyword arguments of each call of a function, by name."""
    return [
        {word.arg: ast.unparse(word.value) for word in node.keywords}
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == called
    ]


def test_nothing_pickles() -> None:
    found = {
        project.named(path): sorted(project.imported(tree) & PICKLING)
        for path, tree in project.modules().items()
        if not takes_only_the_error(tree)
    }
    assert {path: names for path, names in found.items() if names} == {}


def test_arrays_are_read_without_pickle() -> None:
    for path, tree in project.modules().items():
        for called in ("np.load", "numpy.load"):
            for words in arguments(tree, called):
                assert words.get("allow_pickle", "False") == "False", project.named(path)
        for words in arguments(tree, "torch.load"):
            assert words.get("weights_only") == "True", project.named(path)


def test_no_recordings() -> None:
    found = [project.named(path) for path in project.files() if path.suffix.lower() in AUDIO]
    assert found == []


def test_no_path_of_one_machine() -> None:
    found = [
        f"{project.named(path)}:{number}"
        for path, text in project.texts()
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE_PATH.search(line) and path != Path(__file__)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("open('/home/ada/cry')", True),
        ("see /work/x", True),
        ("https://example.org/home/ada", False),
        ("docs/home/x", False),
        ("/var/lib/iclas", False),
    ],
)
def test_machine_paths_are_recognised(line: str, found: bool) -> None:
    assert bool(MACHINE_PATH.search(line)) == found


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_exact_and_name_no_index(name: str) -> None:
    lines = (project.ROOT / name).read_text().splitlines()
    asked = [line for line in lines if line and not line.startswith("#")]
    inexact = [line for line in asked if not re.fullmatch(r"[\w.-]+(\[\w+\])?==[\w.]+", line)]
    assert inexact == ([] if name == "requirements.txt" else ["-r requirements.txt"])
    assert len(asked) == len({re.split(r"\[|==", line)[0].lower() for line in asked})


def test_no_lockfile_names_a_host() -> None:
    locks = {"requirements.txt", "requirements-dev.txt", "pyproject.toml", "Makefile"}
    for path, text in project.texts():
        if path.name in locks or path.suffix == ".lock":
            assert "://" not in text, project.named(path)
            assert "index-url" not in text, project.named(path)


def test_functions_are_short() -> None:
    lengths = [length for length, _ in functions()]
    assert statistics.median(lengths) <= MEDIAN_LINES
    assert sum(length < LONG_LINES for length in lengths) / len(lengths) > 0.9
    assert [name for length, name in functions() if length > MOST_LINES] == []


def test_unwanted_names_stay_away() -> None:
    vague = re.compile(r"^(utils?|helpers?|common|managers?|misc)\d*$")
    found = [project.named(path) for path in project.modules() if vague.match(path.stem)]
    assert found == []
