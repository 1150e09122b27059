"""The configuration: what may be set, and that what may not is named."""

from pathlib import Path

import pytest

from monitor.config import Config, read_config
from monitor.credential import Credential, changed_at, read_credential, write_credential
from monitor.errors import ConfigError

GOOD = """
state = "{state}"

[source]
kind = "rtsp"
url = "rtsp://camera.local/stream"

[cries]
hang_over_s = 4
encoding = "wav"

[spool]
most_mb = 64
"""


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "monitor.toml"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_a_file_sets_what_it_names_and_leaves_the_rest(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, GOOD.format(state=tmp_path / "here")))
    assert config.state == tmp_path / "here"
    assert (config.source.kind, config.cries.encoding) == ("rtsp", "wav")
    assert config.cries.hang_over_s == 4.0
    assert config.cries.pre_roll_s == 1.0
    assert config.spool.most_bytes == 64_000_000
    assert config.spool_folder == tmp_path / "here" / "spool"


def test_without_a_file_everything_is_as_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert read_config(None) == Config(tmp_path / ".local/state/iclas-monitor")
    assert read_config(None, tmp_path / "x").state == tmp_path / "x"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[cries]\npre_rol_s = 1", "there is no setting cries.pre_rol_s; there are pre_roll_s"),
        ("[cry]\n", "there is no setting cry"),
        ("[cries]\nlongest_s = 500", "cries.longest_s is 500; it must be 5 to 120"),
        ("[cries]\nlongest_s = nan", "cries.longest_s"),
        ("[cries]\nlongest_s = '9'", "cries.longest_s must be a number"),
        ("[cries]\nencoding = 'mp3'", "'mp3'; choose one of flac, wav"),
        ("[cries]\npost_roll_s = 9", "post_roll_s must not be over"),
        ("[source]\nwatch = 1", "source.watch must be true or false"),
        ("[source]\nrate_hz = 1.5", "source.rate_hz must be a whole number"),
        ("source = 1", "[source] must be a table"),
        ("state = 1", "state must be a text"),
        ("what", "is no TOML file"),
        ("[spool]\nmost_mb = 1", "spool.most_mb is 1"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(written(tmp_path, text))
    assert said in str(caught.value)


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config(tmp_path / "none.toml")


def test_a_password_is_not_for_everybody(tmp_path: Path) -> None:
    text = '[source]\nkind = "rtsp"\nurl = "rtsp://me:secret@camera/1"\n'
    with pytest.raises(ConfigError, match="chmod 600") as caught:
        read_config(written(tmp_path, text, 0o644))
    assert "secret" not in str(caught.value)
    assert read_config(written(tmp_path, text, 0o600)).source.kind == "rtsp"


def test_a_credential_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "credential.json"
    assert read_credential(path) is None
    assert changed_at(path) == 0
    held = Credential("https://iclas.example", "the-token", "7", "nursery")
    write_credential(path, held)
    assert read_credential(path) == held
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert "the-token" not in repr(held)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_credential(path)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"server": "x", "token": "y", "z": 1}'])
def test_what_is_no_credential_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "credential.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="is no credential"):
        read_credential(path)
