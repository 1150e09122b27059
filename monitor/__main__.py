"""The command line of a monitor.

In: a command's name and its arguments. Out: what it says, and an exit status as
`monitor.errors` lists them. Guaranteed: only the module of the chosen command is imported; whatever
goes wrong is said in one line, for whoever set the monitor up.
"""

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

from monitor import __version__
from monitor.config import DEFAULT_FILE, DEFAULT_STATE, Config, read_config
from monitor.errors import MonitorError

COMMANDS = {
    "pair": "join a server, once, with the code that it shows",
    "run": "hear cries and upload them, until stopped or the source ends",
    "status": "tell how the running monitor is",
    "spool": "list what waits to be uploaded and what was set aside",
    "simulate": "play a simulated infant into the whole chain",
    "rotate": "exchange the token for a new one",
}
EPILOG = """\
exit status:
  0  done, or told to stop      4  no sound: a program, a microphone or a file is missing
  1  another failure            5  another monitor runs on the same folder
  2  a bad argument or setting  6  the server did not answer, or not as one
  3  not paired                 7  (status) no monitor is running
Recordings in the spool are safe, whatever the exit status."""


class CommandModule(Protocol):
    """What every module behind a command offers."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's own arguments."""

    def main(self, config: Config, args: argparse.Namespace) -> int:
        """Run the command and return the exit status."""


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    listing = "\n".join(f"  {name:<{width}}  {said}" for name, said in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m monitor",
        description="The client of a monitor device. Research software, no medical device.",
        epilog=f"commands:\n{listing}\n\n{EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"iclas-monitor {__version__}")
    parser.add_argument("command", choices=list(COMMANDS), metavar="command")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="see: command --help")
    return parser


def _parser_of(name: str, module: CommandModule) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m monitor {name}", description=COMMANDS[name])
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help=f"settings (default: ~/{DEFAULT_FILE})"
    )
    parser.add_argument(
        "--state",
        type=Path,
        metavar="FOLDER",
        help=f"where credential and spool lie (default: ~/{DEFAULT_STATE})",
    )
    parser.add_argument("--quiet", action="store_true", help="say only what goes wrong")
    module.configure(parser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    chosen = _parser().parse_args(argv)
    module = cast(CommandModule, importlib.import_module(f"monitor.commands.{chosen.command}"))
    args = _parser_of(chosen.command, module).parse_args(chosen.arguments)
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING if args.quiet else logging.INFO,
        format="%(levelname)s %(message)s",
    )
    try:
        return module.main(read_config(args.config, args.state), args)
    except MonitorError as error:
        sys.stderr.write(f"monitor {chosen.command}: {error}\n")
        return error.exit_status
    except OSError as error:
        sys.stderr.write(f"monitor {chosen.command}: {error}\n")
        return MonitorError.exit_status


if __name__ == "__main__":
    sys.exit(main())
