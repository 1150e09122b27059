"""`spool`: list what waits to be uploaded and what was set aside; let the latter wait again."""

import argparse
import json
import sys
from collections.abc import Iterator

from monitor.config import Config
from monitor.spool import Contents, Item, Spool, look_into


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--retry", action="store_true", help="let what was set aside be sent again")


def main(config: Config, args: argparse.Namespace) -> int:
    """List, or retry."""
    if args.retry:
        return _retry(config)
    found = look_into(config.spool_folder)
    if args.json:
        sys.stdout.write(json.dumps(_document(found), indent=2) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _lines(found)))
    return 0


def _retry(config: Config) -> int:
    spool = Spool(config.spool_folder, config.spool.most_bytes)
    try:
        sys.stdout.write(f"{spool.retry_aside()} recordings wait again.\n")
    finally:
        spool.close()
    return 0


def _document(found: Contents) -> dict[str, object]:
    return {
        "waiting": [item.told | {"size": item.size} for item in found.waiting],
        "aside": [item.told | {"size": item.size} for item in found.aside],
        "dropped": found.dropped,
    }


def _lines(found: Contents) -> Iterator[str]:
    size = sum(item.size for item in found.waiting) / 1e6
    yield f"{len(found.waiting)} recordings wait to be uploaded ({size:.1f} MB)."
    yield from map(_line, found.waiting)
    if found.aside:
        yield f"{len(found.aside)} were refused for good and set aside:"
        yield from (f"{_line(item)}  {_why(item)}" for item in found.aside)
    if found.dropped:
        yield f"{found.dropped} were lost for want of room, since this spool was made."


def _line(item: Item) -> str:
    return f"  {item.recorded_at}  {item.told.get('duration_s', 0.0):5.1f} s  {item.key}"


def _why(item: Item) -> str:
    answer = item.answer
    return f"{answer.get('status')} {answer.get('code')}: {answer.get('detail')}"
