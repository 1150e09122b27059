"""The home folder: made whole, whatever an earlier attempt left of it."""

import os
from pathlib import Path

import pytest

from iclas.home import Home, HomeError


def test_a_half_made_home_is_completed(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.storage.mkdir(parents=True)
    home.build()
    assert all(room.is_dir() for room in (home.broker, home.uploads, home.encoders, home.static))
    home.build()


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(HomeError) as refused:
        Home(tmp_path / "home").build()
    assert str(tmp_path / "home") in str(refused.value)
    assert "set ICLAS_HOME" in str(refused.value)


def test_a_home_that_may_not_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    monkeypatch.setattr(os, "access", lambda place, _mode: place != home.uploads)
    with pytest.raises(HomeError) as refused:
        home.build()
    assert refused.value.place == home.uploads


def test_a_secret_is_drawn_once_for_its_owner_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    secret = home.secret()
    assert len(secret) >= 50
    assert home.secret() == secret
    assert [path.name for path in home.root.iterdir()] == ["secret-key"]
    assert (home.root / "secret-key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("torn", [b"", b"\n", b"\0" * 67])
def test_a_secret_torn_by_a_power_cut_is_drawn_again(tmp_path: Path, torn: bytes) -> None:
    (tmp_path / "secret-key").write_bytes(torn)
    secret = Home(tmp_path).secret()
    assert len(secret) >= 50
    assert Home(tmp_path).secret() == secret


def test_a_secret_of_ones_own_is_kept(tmp_path: Path) -> None:
    (tmp_path / "secret-key").write_text("short\n")
    assert Home(tmp_path).secret() == "short\n"


def test_a_disk_without_room_leaves_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        Home(tmp_path).secret()
    assert list(tmp_path.iterdir()) == []
