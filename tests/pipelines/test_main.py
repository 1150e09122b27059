"""The command line: it lists its commands, imports only the chosen one, and ends with a status."""

import subprocess
import sys

import pytest

from pipelines.__main__ import COMMANDS, main


def test_help_lists_every_command_without_importing_any() -> None:
    code = (
        "import sys; from pipelines.__main__ import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch', 'sklearn', 'scipy', 'numpy') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(name in run.stdout for name in COMMANDS)
    assert run.stdout.rstrip().endswith("[]")


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_explains_itself_and_takes_json(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert f"python -m pipelines {name}" in shown
    assert "--json" in shown


def test_a_command_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["nonsense"])
    assert ended.value.code == 2
    assert "nonsense" in capsys.readouterr().err


def test_a_named_error_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "/nowhere/manifest.csv"]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("evaluate: ")
    assert "Traceback" not in shown
