"""The configuration: one TOML file, every setting of which has a default.

What comes in: a file, or none. What goes out: a `Config`. Guaranteed: a setting that is unknown, of
another type or out of its range is named with what would do; no secret stands in it but what a
camera's address may hold, and a file with such an address must be readable by its owner alone.
"""

import dataclasses
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from monitor.errors import ConfigError

DEFAULT_FILE = Path(".config/iclas-monitor/monitor.toml")
DEFAULT_STATE = Path(".local/state/iclas-monitor")
KINDS = ("microphone", "rtsp", "file", "folder", "stdin")
PROGRAMS = ("", "arecord", "parec", "ffmpeg")
ENCODINGS = ("flac", "wav")
LEAST_SPOOL_MB = 16.0
OTHERS = stat.S_IRWXG | stat.S_IRWXO
Table = TypeVar("Table", bound="_Checked")


class _Checked:
    """A table of settings that knows what they may be."""

    RANGES: dict[str, tuple[float, float]] = {}  # noqa: RUF012  replaced whole, never changed
    CHOICES: dict[str, tuple[str, ...]] = {}  # noqa: RUF012

    def check(self, where: str) -> None:
        """Refuse values out of their range, by name."""
        for name, (least, most) in self.RANGES.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise ConfigError(f"{where}{name} is {value:g}; it must be {least:g} to {most:g}")
        for name, choices in self.CHOICES.items():
            if getattr(self, name) not in choices:
                known = ", ".join(choice for choice in choices if choice)
                raise ConfigError(
                    f"{where}{name} is {getattr(self, name)!r}; choose one of {known}"
                )


@dataclass(frozen=True)
class SourceConfig(_Checked):
    """Where sound comes from."""

    kind: str = "microphone"
    path: str = ""
    """Of a file or folder."""
    watch: bool = False
    """Whether a folder is looked at again and again."""
    device: str = ""
    """Of a microphone, as its program names it."""
    program: str = ""
    """arecord, parec or ffmpeg; empty takes the first that is installed."""
    url: str = ""
    """Of an RTSP camera."""
    rate_hz: int = 16_000
    channels: int = 1
    """Of raw sound on the standard input (16 bits, little endian)."""

    RANGES = {"rate_hz": (8_000, 192_000), "channels": (1, 8)}  # noqa: RUF012
    CHOICES = {"kind": KINDS, "program": PROGRAMS}  # noqa: RUF012


@dataclass(frozen=True)
class CutConfig(_Checked):
    """Where takes begin and end, and which are kept."""

    pre_roll_s: float = 1.0
    post_roll_s: float = 1.0
    hang_over_s: float = 3.0
    """A bout is over when nobody has cried for so long."""
    longest_s: float = 30.0
    least_probability: float | None = None
    """Of being a cry; None takes what the server asks for."""
    quietest_dbfs: float = -60.0
    """Crying whose loudest sample lies under this is not recorded."""
    encoding: str = "flac"

    RANGES = {  # noqa: RUF012
        "pre_roll_s": (0, 10),
        "post_roll_s": (0, 10),
        "hang_over_s": (1, 60),
        "longest_s": (5, 120),
        "least_probability": (0, 1),
        "quietest_dbfs": (-70, 0),
    }
    CHOICES = {"encoding": ENCODINGS}  # noqa: RUF012

    def check(self, where: str) -> None:
        """Refuse also what contradicts itself."""
        super().check(where)
        if self.post_roll_s > self.hang_over_s:
            raise ConfigError(f"{where}post_roll_s must not be over {where}hang_over_s")


@dataclass(frozen=True)
class SpoolConfig(_Checked):
    """How much may wait."""

    most_mb: float = 512.0

    RANGES = {"most_mb": (LEAST_SPOOL_MB, 1e6)}  # noqa: RUF012

    @property
    def most_bytes(self) -> int:
        """The room in bytes."""
        return int(self.most_mb * 1e6)


@dataclass(frozen=True)
class UploadConfig(_Checked):
    """How patient the uploader is."""

    first_wait_s: float = 1.0
    longest_wait_s: float = 300.0
    asks_again_s: float = 600.0

    RANGES = {  # noqa: RUF012
        "first_wait_s": (0.01, 60),
        "longest_wait_s": (0.01, 3_600),
        "asks_again_s": (1, 86_400),
    }


@dataclass(frozen=True)
class HeartbeatConfig(_Checked):
    """How often the server hears that all is well."""

    every_s: float = 300.0

    RANGES = {"every_s": (1, 3_600)}  # noqa: RUF012


@dataclass(frozen=True)
class Config:
    """Everything that can be set."""

    state: Path
    source: SourceConfig = field(default_factory=SourceConfig)
    cries: CutConfig = field(default_factory=CutConfig)
    spool: SpoolConfig = field(default_factory=SpoolConfig)
    uploads: UploadConfig = field(default_factory=UploadConfig)
    heartbeat: HeartbeatConfig = field(default_factory=HeartbeatConfig)

    @property
    def credential(self) -> Path:
        """Where the token lies, readable by its owner alone."""
        return self.state / "credential.json"

    @property
    def spool_folder(self) -> Path:
        """Where recordings wait."""
        return self.state / "spool"

    @property
    def ledger(self) -> Path:
        """Which files have been heard."""
        return self.state / "heard.jsonl"

    @property
    def wishes(self) -> Path:
        """What was last asked of it from afar."""
        return self.state / "settings.json"

    @property
    def status(self) -> Path:
        """What the running monitor last said of itself."""
        return self.state / "status.json"


def read_config(file: Path | None, state: Path | None = None) -> Config:
    """Read the configuration; without a file of the default name, everything is as it comes.

    Raises
    ------
    ConfigError
        The file, or something in it, cannot be used.
    """
    chosen = file or Path.home() / DEFAULT_FILE
    if file is None and not chosen.exists():
        return Config(state or Path.home() / DEFAULT_STATE)
    config = _config(_tables(chosen), state)
    if _holds_secret(config.source.url) and chosen.stat().st_mode & OTHERS:
        raise ConfigError(
            f"{chosen} holds a camera's password and others may read it: chmod 600 {chosen}"
        )
    return config


def _tables(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is no TOML file: {error}") from error


def _config(tables: Mapping[str, Any], state: Path | None) -> Config:
    kinds = {
        "source": SourceConfig,
        "cries": CutConfig,
        "spool": SpoolConfig,
        "uploads": UploadConfig,
        "heartbeat": HeartbeatConfig,
    }
    _refuse_unknown(tables, [*kinds, "state"], "")
    said = tables.get("state", str(Path.home() / DEFAULT_STATE))
    if not isinstance(said, str):
        raise ConfigError("state must be a text: the folder that the monitor keeps its things in")
    filled: dict[str, Any] = {
        name: filled_table(kind, tables.get(name, {}), f"{name}.") for name, kind in kinds.items()
    }
    return Config(state or Path(said).expanduser(), **filled)


def filled_table(kind: type[Table], said: object, where: str) -> Table:
    """Return a table of settings with what was said of them."""
    if not isinstance(said, Mapping):
        raise ConfigError(f"[{where.rstrip('.')}] must be a table")
    fields = {one.name: one for one in dataclasses.fields(kind)}  # type: ignore[arg-type]
    _refuse_unknown(said, list(fields), where)
    values = {name: _value(said[name], fields[name], where) for name in said}
    table = kind(**values)
    table.check(where)
    return table


def _refuse_unknown(said: Mapping[str, Any], known: list[str], where: str) -> None:
    for name in said:
        if name not in known:
            raise ConfigError(f"there is no setting {where}{name}; there are {', '.join(known)}")


def _value(said: object, one: "dataclasses.Field[Any]", where: str) -> object:
    """Return a value of the setting's type; a whole number may stand for any number."""
    wanted = float if one.default is None else type(one.default)
    if wanted is float and isinstance(said, int) and not isinstance(said, bool):
        return float(said)
    if type(said) is not wanted:
        words = {float: "a number", int: "a whole number", bool: "true or false", str: "a text"}
        raise ConfigError(f"{where}{one.name} must be {words[wanted]}")
    return said


def _holds_secret(url: str) -> bool:
    return re.search(r"://[^/@]*:[^/@]*@", url) is not None
