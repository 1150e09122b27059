"""Encoders from a hub, fetched from a stand-in on loopback that speaks the hub's protocol."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch

from pipelines.embed import Encoder, load_encoder
from pipelines.encoders.ecapa import build_ecapa, speechbrain_module
from pipelines.encoders.hub import (
    FilterbankFrames,
    HubName,
    load_from_hub,
    load_hub_folder,
    parse_hub_name,
    read_constructor,
)
from pipelines.encoders.table import HUB_ENCODERS
from pipelines.errors import ConfigError, CorruptArtefactError
from pipelines.segment import Unit
from pipelines.sound import Sound

ROOT = Path(__file__).resolve().parents[3]
REPOSITORY = "speechbrain/spkrec-ecapa-voxceleb"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
HYPERPARAMETERS = """\
# Feature parameters
n_mels: 80
pretrained_path: speechbrain/spkrec-ecapa-voxceleb
out_n_neurons: 7205

compute_features: !new:speechbrain.lobes.features.Fbank
    n_mels: !ref <n_mels>

mean_var_norm: !new:speechbrain.processing.features.InputNormalization
    norm_type: sentence
    std_norm: False

embedding_model: !new:speechbrain.lobes.models.ECAPA_TDNN.ECAPA_TDNN
    input_size: !ref <n_mels>
    channels: [16, 16, 16, 16, 48]
    kernel_sizes: [5, 3, 3, 3, 1]
    dilations: [1, 2, 3, 4, 1]
    attention_channels: 8
    lin_neurons: 192

classifier: !new:speechbrain.lobes.models.ECAPA_TDNN.Classifier
    input_size: 192
    out_neurons: !ref <out_n_neurons>

modules:
    compute_features: !ref <compute_features>
    embedding_model: !ref <embedding_model>

label_encoder: !new:speechbrain.dataio.encoder.CategoricalEncoder

pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
        embedding_model: !ref <embedding_model>
    paths:
        embedding_model: !ref <pretrained_path>/embedding_model.ckpt
"""
UNITS = (Unit(0.2, 0.9), Unit(1.1, 1.9))


def sound(seed: int = 0) -> Sound:
    samples = np.random.default_rng(seed).uniform(-1.0, 1.0, 32_000)
    return Sound(samples.astype(np.float32), 16_000)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a small network of random weights in the layout that SpeechBrain publishes."""
    folder = tmp_path_factory.mktemp("published")
    (folder / "hyperparams.yaml").write_text(HYPERPARAMETERS)
    torch.manual_seed(0)
    network = build_ecapa(read_constructor(folder / "hyperparams.yaml"))
    torch.save(network.state_dict(), folder / "embedding_model.ckpt")
    torch.save({"count": 1, "glob_mean": torch.zeros(80)}, folder / "mean_var_norm_emb.ckpt")
    (folder / "label_encoder.txt").write_text("'id10001' => 0\n================\n")
    return folder


class Hub(ThreadingHTTPServer):
    """A hub of one repository; counts what is asked of it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.folder = folder
        self.requests: list[str] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    """Answers as the hub does: metadata in headers, errors by name."""

    server: Hub

    def log_message(self, format: str, *args: object) -> None:
        del format, args

    def do_HEAD(self) -> None:
        self.server.requests.append(self.path)
        self._answer()

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        content = self._answer()
        self.wfile.write(content)

    def _answer(self) -> bytes:
        parts = self.path.split("?")[0].strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            return self._describe("/".join(parts[2:4]), parts[-1])
        repository, revision, name = "/".join(parts[:2]), parts[3], "/".join(parts[4:])
        error = self._error(repository, revision)
        file = self.server.folder / name
        if error is None and not file.is_file():
            error = "EntryNotFound"
        if error is not None:
            return self._refuse(error)
        return self._send(file.read_bytes(), "application/octet-stream")

    @staticmethod
    def _error(repository: str, revision: str) -> str | None:
        if repository != REPOSITORY:
            return "RepoNotFound"
        return None if revision in (COMMIT, "main") else "RevisionNotFound"

    def _describe(self, repository: str, revision: str) -> bytes:
        error = self._error(repository, revision)
        if error is not None:
            return self._refuse(error)
        files = [{"rfilename": file.name} for file in sorted(self.server.folder.iterdir())]
        described = {"id": repository, "modelId": repository, "sha": COMMIT, "siblings": files}
        return self._send(json.dumps(described).encode(), "application/json")

    def _refuse(self, error: str) -> bytes:
        self.send_response(404)
        self.send_header("X-Error-Code", error)
        self.send_header("X-Error-Message", error)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return b""

    def _send(self, content: bytes, kind: str) -> bytes:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        return content


@pytest.fixture
def hub(published: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    server = Hub(published)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def embedded(encoder: Encoder) -> np.ndarray:
    return encoder.embed([(sound(), UNITS)])[0]


def test_an_encoder_is_fetched_kept_and_found_again_without_a_hub(
    hub: Hub, published: Path, tmp_path: Path
) -> None:
    name = HubName(REPOSITORY, COMMIT)
    first = Encoder(load_from_hub(name, tmp_path, hub.endpoint))
    assert first.name == f"{REPOSITORY}@{COMMIT}"
    assert first.license == "apache-2.0"
    assert not any("mean_var_norm" in path or "label" in path for path in hub.requests)
    asked = len(hub.requests)
    again = Encoder(load_from_hub(name, tmp_path, hub.endpoint))
    assert len(hub.requests) == asked
    assert again.fingerprint == first.fingerprint == load_encoder(str(published)).fingerprint
    assert np.array_equal(embedded(again), embedded(first))
    assert np.linalg.norm(embedded(first), axis=1) == pytest.approx(np.ones(2), abs=1e-5)


def test_the_whole_way_by_configuration_alone(hub: Hub, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from pipelines.embed import load_encoder\n"
        f"encoder = load_encoder('{REPOSITORY}@{COMMIT}', cache_dir=Path(sys.argv[1]))\n"
        "print(encoder.fingerprint)\n"
    )
    plain = {"HF_ENDPOINT": hub.endpoint, "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "cache")],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **plain},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == load_encoder(str(hub.folder)).fingerprint
    assert (tmp_path / "cache").is_dir()


def test_a_branch_is_a_revision_too(hub: Hub, tmp_path: Path) -> None:
    loaded = load_from_hub(HubName(REPOSITORY, "main"), tmp_path, hub.endpoint)
    assert loaded.name.endswith("@main")


@pytest.mark.parametrize(
    "name", [HubName(REPOSITORY, "f" * 40), HubName("nobody/nothing", COMMIT)], ids=str
)
def test_what_the_hub_does_not_have_is_named(hub: Hub, tmp_path: Path, name: HubName) -> None:
    with pytest.raises(ConfigError, match=name.revision):
        load_from_hub(name, tmp_path, hub.endpoint)


def test_a_repository_without_the_layout_is_named(
    hub: Hub, published: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy(published / "hyperparams.yaml", bare)
    hub.folder = bare
    with pytest.raises(ConfigError, match=REPOSITORY):
        load_from_hub(HubName(REPOSITORY, COMMIT), tmp_path / "cache", hub.endpoint)


def test_a_hub_that_cannot_be_reached_is_named(hub: Hub, tmp_path: Path) -> None:
    del hub
    with pytest.raises(ConfigError, match="cannot be reached"):
        load_from_hub(HubName(REPOSITORY, COMMIT), tmp_path, "http://127.0.0.1:9")


def test_offline_without_a_cache_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not in the cache"):
        load_encoder(f"{REPOSITORY}@{COMMIT}", cache_dir=tmp_path)


def test_a_bare_name_means_the_pinned_commit() -> None:
    revision = HUB_ENCODERS[REPOSITORY].revision
    assert len(revision) == 40
    assert parse_hub_name(REPOSITORY) == HubName(REPOSITORY, revision)
    assert parse_hub_name(f"{REPOSITORY}@{COMMIT}") == HubName(REPOSITORY, COMMIT)


def test_an_unknown_name_needs_a_revision() -> None:
    with pytest.raises(ConfigError, match="revision"):
        parse_hub_name("somebody/something")


@pytest.mark.parametrize("text", ["bundled", "a/b/c", "/a/b", "a/b@", "a b/c", "../x@y z"])
def test_what_is_no_hub_name(text: str) -> None:
    assert parse_hub_name(text) is None


def test_frames_are_those_of_speechbrain_with_sentence_normalisation(published: Path) -> None:
    features = speechbrain_module("speechbrain.lobes.features").Fbank(n_mels=80)
    normalise = speechbrain_module("speechbrain.processing.features").InputNormalization(
        norm_type="sentence", std_norm=False
    )
    ours = FilterbankFrames(features.eval()).unit_frames(sound(), UNITS[:1])[0]
    waveform = torch.from_numpy(sound().samples[None, 23 * 160 : 87 * 160])
    assert len(ours) == 65
    with torch.inference_mode():
        theirs = normalise(features(waveform), torch.ones(1))[0].numpy()
    assert ours == pytest.approx(theirs, abs=1e-3)


def test_nothing_in_the_hyperparameters_is_run(published: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(published, folder)
    marker = tmp_path / "ran"
    evil = (
        f"evil: !apply:os.system ['touch {marker}']\n"
        f"worse: !!python/object/apply:os.system ['touch {marker}']\n"
    )
    file = folder / "hyperparams.yaml"
    file.write_text(file.read_text() + evil.splitlines()[0] + "\n")
    load_hub_folder(folder, "copy")
    file.write_text(file.read_text() + evil.splitlines()[1] + "\n")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_hub_folder(folder, "copy")
    assert not marker.exists()


def test_weights_that_carry_code_are_refused(published: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(published, folder)
    torch.save({"fc.conv.bias": Path("/")}, folder / "embedding_model.ckpt")
    with pytest.raises(CorruptArtefactError):
        load_hub_folder(folder, "copy")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lin_neurons: 192", "lin_neurons: 256"),
        ("n_mels: 80", "n_mels: 40"),
        ("embedding_model: !new", "another_model: !new"),
        ("n_mels: 80", "n_mels: [80"),
    ],
)
def test_hyperparameters_of_something_else_are_refused(
    published: Path, tmp_path: Path, old: str, new: str
) -> None:
    file = tmp_path / "hyperparams.yaml"
    file.write_text((published / "hyperparams.yaml").read_text().replace(old, new))
    with pytest.raises(ConfigError):
        read_constructor(file)


def test_weights_of_another_shape_are_refused(published: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(published, folder)
    file = folder / "hyperparams.yaml"
    file.write_text(file.read_text().replace("attention_channels: 8", "attention_channels: 16"))
    with pytest.raises(CorruptArtefactError, match="not the weights"):
        load_hub_folder(folder, "copy")


def test_an_empty_checkpoint_is_refused(published: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(published, folder)
    (folder / "embedding_model.ckpt").write_bytes(b"")
    with pytest.raises(CorruptArtefactError):
        load_hub_folder(folder, "copy")
