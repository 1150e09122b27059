"""SpeechBrain imports on CPU-only torch, quietly, and only when an encoder needs it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def python(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)


def test_ecapa_is_imported_and_runs_in_a_fresh_process() -> None:
    done = python(
        "from pipelines.encoders.ecapa import SMALL_CONSTRUCTOR, build_ecapa\n"
        "import torch\n"
        "network = build_ecapa(SMALL_CONSTRUCTOR).eval()\n"
        "with torch.inference_mode():\n"
        "    print(tuple(network(torch.zeros(2, 40, 80)).shape))\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "(2, 1, 192)"
    assert done.stderr == ""


def test_the_stand_in_leaves_a_torchaudio_that_is_there_alone() -> None:
    done = python(
        "import sys, types\n"
        "own = types.ModuleType('torchaudio')\n"
        "sys.modules['torchaudio'] = own\n"
        "from pipelines.encoders.ecapa import stand_in_for_torchaudio_extension\n"
        "stand_in_for_torchaudio_extension()\n"
        "assert 'torchaudio._extension' not in sys.modules\n"
        "assert sys.modules['torchaudio'] is own\n"
    )
    assert done.returncode == 0, done.stderr


def test_embed_imports_neither_torch_nor_speechbrain() -> None:
    done = python(
        "import sys, pipelines.embed, pipelines.encoders.checkpoint, pipelines.encoders.hub\n"
        "print([name for name in ('torch', 'speechbrain', 'torchaudio') if name in sys.modules])\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
