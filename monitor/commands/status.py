"""`status`: tell how the running monitor is; 0 where all is well, 3 unpaired, 7 not running."""

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from monitor.config import Config
from monitor.credential import Credential, read_credential
from monitor.errors import NotPairedError
from monitor.spool import Contents, look_into

NOT_RUNNING = 7


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("--json", action="store_true", help="for programs")


def main(config: Config, args: argparse.Namespace) -> int:
    """Tell."""
    credential, found = read_credential(config.credential), look_into(config.spool_folder)
    said = _last_said(config)
    if args.json:
        known = {"is_paired": credential is not None, "server": credential and credential.server}
        counts = {"waiting": len(found.waiting), "aside": len(found.aside)}
        document = said | known | counts | {"is_running": found.is_in_use, "dropped": found.dropped}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _lines(credential, found, said)))
    if credential is None or (found.is_in_use and said.get("must_pair")):
        return NotPairedError.exit_status
    return 0 if found.is_in_use else NOT_RUNNING


def _last_said(config: Config) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        said = json.loads(config.status.read_text())
        if isinstance(said, dict):
            return said
    return {}


def _lines(
    credential: Credential | None, found: Contents, said: Mapping[str, Any]
) -> Iterator[str]:
    if credential is None:
        yield "Not paired: monitor pair CODE --server URL"
    else:
        yield f"Paired with {credential.server} as “{credential.name}”."
    if found.is_in_use:
        yield f"Running, hearing: {said.get('source')}; started {_ago(said.get('started_at_s'))}."
        yield f"Last sound: {_ago(said.get('last_sound_at_s'))}."
        yield f"Last crying: {_ago(said.get('last_cry_at_s'))}."
        yield f"Last upload: {_ago(said.get('last_upload_at_s'))}."
    else:
        yield "No monitor is running here."
    if said.get("trouble") and found.is_in_use:
        yield f"Trouble: {said['trouble']}"
    yield f"{len(found.waiting)} recordings wait, {len(found.aside)} were refused for good" + (
        f", {found.dropped} were lost for want of room." if found.dropped else "."
    )


def _ago(at_s: object) -> str:
    if not isinstance(at_s, int | float):
        return "not yet"
    seconds = max(0.0, time.time() - at_s)
    for size_s, word in ((86_400.0, "days"), (3_600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size_s:
            return f"{seconds / size_s:.0f} {word} ago"
    return f"{seconds:.0f} s ago"
