"""`run`: hear cries and upload them, until stopped, or until the source ends."""

import argparse
import dataclasses
from pathlib import Path

from monitor.config import KINDS, Config, SourceConfig
from monitor.errors import ConfigError
from monitor.sources import source_of
from monitor.station import Station


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("--source", choices=KINDS, help="instead of the one in the settings")
    parser.add_argument("--path", type=Path, help="of the file or folder")
    parser.add_argument(
        "--watch", action="store_true", help="go on looking for new files in the folder"
    )
    parser.add_argument("--device", help="of the microphone, as its program names it")
    parser.add_argument("--url", help="of the RTSP camera")
    parser.add_argument("--rate-hz", type=int, help="of raw sound on the standard input")
    parser.add_argument("--channels", type=int, help="of raw sound on the standard input")


def main(config: Config, args: argparse.Namespace) -> int:
    """Run until stopped."""
    config = dataclasses.replace(config, source=_source(config.source, args))
    source = source_of(config)
    Station(config).run(source)
    return 0


def _source(configured: SourceConfig, args: argparse.Namespace) -> SourceConfig:
    said = {
        "kind": args.source or _kind_of(args.path),
        "path": None if args.path is None else str(args.path),
        "watch": args.watch or None,
        "device": args.device,
        "url": args.url,
        "rate_hz": args.rate_hz,
        "channels": args.channels,
    }
    source = dataclasses.replace(configured, **{k: v for k, v in said.items() if v is not None})
    source.check("source.")
    if source.watch and source.kind != "folder":
        raise ConfigError("only a folder can be watched")
    return source


def _kind_of(path: Path | None) -> str | None:
    if path is None:
        return None
    return "folder" if path.is_dir() else "file"
