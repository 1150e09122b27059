"""`simulate`: play a simulated infant into the whole chain, in real or accelerated time."""

import argparse
import dataclasses
import datetime as dt

from monitor.config import Config, SourceConfig
from monitor.errors import ConfigError
from monitor.station import Station


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("--seed", type=int, default=0, help="of the infant and of its days")
    parser.add_argument("--days", type=int, default=1, help="how many days are played")
    parser.add_argument(
        "--speed",
        type=float,
        default=0.0,
        help="1 plays in real time, 60 an hour in a minute, 0 (default) without waiting",
    )
    parser.add_argument(
        "--start",
        type=dt.datetime.fromisoformat,
        metavar="ISO",
        help="when the days begin; by default now in real time, else so that they end now",
    )
    parser.add_argument("--most", type=int, metavar="N", help="stop after N recordings")


def main(config: Config, args: argparse.Namespace) -> int:
    """Play to the end, and upload."""
    from monitor.simulated import SimulatedInfant

    if args.days < 1 or args.seed < 0 or args.speed < 0:
        raise ConfigError("days are 1 or more, a seed and a speed 0 or more")
    infant = SimulatedInfant(args.seed, args.days, _start(args), args.speed, args.most)
    config = dataclasses.replace(config, source=SourceConfig())
    Station(config).run(infant)
    return 0


def _start(args: argparse.Namespace) -> dt.datetime:
    start: dt.datetime | None = args.start
    if start is None:
        back = dt.timedelta() if args.speed == 1.0 else dt.timedelta(days=args.days)
        return dt.datetime.now(dt.UTC) - back
    return start if start.tzinfo is not None else start.astimezone()
