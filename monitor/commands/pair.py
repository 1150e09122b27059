"""`pair`: join a server with the one-time code that it shows to a person."""

import argparse
import platform
import socket
import sys

from monitor.config import Config
from monitor.credential import Credential, read_credential, write_credential
from monitor.errors import ConfigError, NotPairedError, ServerError
from monitor.server import Answer, Server, Verdict


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("code", help="as the server shows it; case and hyphens do not matter")
    parser.add_argument("--server", metavar="URL", help="needed the first time")
    parser.add_argument("--name", default=socket.gethostname(), help="what people will call it")


def main(config: Config, args: argparse.Namespace) -> int:
    """Pair, and keep the credential."""
    url = _url(config, args.server)
    if url.startswith("http://"):
        sys.stderr.write("The way to this server is not encrypted: others may listen to it.\n")
    answer = Server(url).pair(args.code, args.name[:120], _hardware())
    if answer.verdict is not Verdict.STORED:
        raise _refused(url, answer)
    said = answer.document
    credential = Credential(url, str(said["token"]), str(said.get("id")), str(said.get("name")))
    write_credential(config.credential, credential)
    sys.stdout.write(f"Paired with {url} as “{credential.name}”.\n")
    return 0


def _url(config: Config, said: str | None) -> str:
    """Return the server's address: as said, or as of the last pairing."""
    held = None if said else read_credential(config.credential)
    url = said or (held.server if held else "")
    if not url.startswith(("https://", "http://")):
        raise ConfigError("--server needs an address that begins with https:// (or http://)")
    return url.rstrip("/")


def _hardware() -> str:
    return f"{platform.machine()} {platform.system()}"[:120]


def _refused(url: str, answer: Answer) -> NotPairedError | ServerError:
    if answer.verdict is Verdict.AFTER_PAIRING:
        return NotPairedError(
            "this code cannot be used: it is wrong, used, or over ten minutes old"
        )
    if answer.status == 429:
        return ServerError("too many tries; wait a minute, and try again")
    return ServerError(f"{url} cannot be paired with: {answer}")
