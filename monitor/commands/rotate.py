"""`rotate`: exchange the token for a new one, without a person; a running monitor takes it up."""

import argparse
import dataclasses
import sys

from monitor.config import Config
from monitor.credential import read_credential, write_credential
from monitor.errors import NotPairedError, ServerError
from monitor.server import Server, Verdict


def configure(parser: argparse.ArgumentParser) -> None:
    """Add no arguments."""
    del parser


def main(config: Config, args: argparse.Namespace) -> int:
    """Get a new token and keep it before it is used; with its first use the old one is void."""
    del args
    held = read_credential(config.credential)
    if held is None:
        raise NotPairedError("this device is not paired: monitor pair CODE --server URL")
    answer = Server(held.server, held.token).rotate()
    if answer.verdict is Verdict.AFTER_PAIRING:
        raise NotPairedError(f"the server does not know this device; pair it again ({answer})")
    if answer.verdict is not Verdict.STORED:
        raise ServerError(f"the token was not exchanged, and holds: {answer}")
    renewed = dataclasses.replace(held, token=str(answer.document["token"]))
    write_credential(config.credential, renewed)
    Server(renewed.server, renewed.token).heartbeat({})
    sys.stdout.write("The token was exchanged.\n")
    return 0
