"""What the documents say is so: commands, files, variables."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.house import project

README = project.ROOT / "README.md"
CONTRIBUTING = project.ROOT / "CONTRIBUTING.md"
ARCHITECTURE = project.ROOT / "docs/architecture.md"
CONFIGURATION = project.ROOT / "docs/configuration.md"
DOCUMENTS = [README, CONTRIBUTING, *sorted((project.ROOT / "docs").glob("*.md"))]
MAKEFILE = (project.ROOT / "Makefile").read_text()


def code(document: Path) -> str:
    """Return what a document sets as code: blocks and spans, one a line."""
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"^```.*?\n(.*?)^```", text, flags=re.M | re.S)
    blocks += re.findall(r"^(?: {4}|\t)(?![-*])(.*)$", text, flags=re.M)
    return "\n".join([*blocks, *spans(document)])


def spans(document: Path) -> list[str]:
    """Return a document's code spans."""
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]


def targets(document: Path) -> set[str]:
    """Return the make targets that a document names."""
    return set(re.findall(r"\bmake (?:[A-Z_]+=\S+ )*([a-z][a-z-]*)", code(document)))


def phony() -> set[str]:
    """Return the targets that the Makefile declares."""
    declared = re.findall(r"^\.PHONY:(.*)$", MAKEFILE, flags=re.M)
    return {target for line in declared for target in line.split()}


@pytest.mark.parametrize("document", DOCUMENTS, ids=project.named)
def test_make_targets_exist(document: Path) -> None:
    assert targets(document) <= phony()


def test_every_make_target_is_documented() -> None:
    defined = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, flags=re.M))
    assert defined == phony()
    assert phony() == targets(README) | targets(CONTRIBUTING)


@pytest.mark.parametrize("document", DOCUMENTS, ids=project.named)
def test_management_commands_exist(document: Path) -> None:
    named = set(re.findall(r"\bmanage\.py ([a-z_]+)", code(document)))
    assert named <= set(get_commands())


@pytest.mark.parametrize("document", DOCUMENTS, ids=project.named)
def test_modules_that_are_run_exist(document: Path) -> None:
    named = set(re.findall(r"\bpython3? -m ([a-z_.]+)", code(document)))
    assert all(importlib.util.find_spec(module) for module in named), named


def test_files_of_the_architecture_exist() -> None:
    paths = {span for span in spans(ARCHITECTURE) if re.fullmatch(r"[\w./-]*\w/[\w./-]*", span)}
    paths = {path for path in paths if "..." not in path}
    assert len(paths) > 10
    assert [path for path in sorted(paths) if not (project.ROOT / path).exists()] == []


def test_stages_and_rooms_have_a_table() -> None:
    rows = re.findall(r"^\| *(`?[\w/]+`?) *\|", ARCHITECTURE.read_text(), flags=re.M)
    rooms = {row.strip("`/") for row in rows if row.startswith("`")}
    assert project.packages() <= rooms


def read_by_settings() -> set[str]:
    """Return the variables that the settings read."""
    tree = ast.parse((project.ROOT / "iclas/settings.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    asked = [call.args[0] for call in calls if ast.unparse(call.func).split(".")[0] == "env"]
    return {str(ast.literal_eval(name)) for name in asked}


def test_configuration_lists_what_the_settings_read() -> None:
    listed = re.findall(r"^\| *`([A-Z][A-Z0-9_]+)`", CONFIGURATION.read_text(), flags=re.M)
    assert sorted(listed) == sorted(read_by_settings())


def test_only_the_settings_read_the_environment() -> None:
    elsewhere = [
        f"{project.named(path)}:{node.lineno}"
        for path, tree in project.modules().items()
        if path.relative_to(project.ROOT).parts[0] in project.packages()
        and project.named(path) != "iclas/settings.py"
        for node in ast.walk(tree)
        if reads_environment(node)
    ]
    assert elsewhere == []


def reads_environment(node: ast.AST) -> bool:
    """Tell whether a call or a subscript reads a variable other than the settings' name."""
    if isinstance(node, ast.Subscript):
        return ast.unparse(node.value) == "os.environ" and isinstance(node.ctx, ast.Load)
    if not isinstance(node, ast.Call):
        return False
    called = ast.unparse(node.func)
    if called == "os.environ.setdefault":
        return ast.unparse(node.args[0]) != "'DJANGO_SETTINGS_MODULE'"
    return called.startswith(("os.environ.", "os.getenv"))
