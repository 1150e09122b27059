"""The kill campaign: whenever the client dies, every cry arrives once, none is lost or doubled."""

import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from monitor.credential import Credential, write_credential
from monitor.spool import look_into
from tests.monitor.nights import put_night
from tests.monitor.stand_in import Stand, a_server

ROOT = Path(__file__).resolve().parents[2]
KILLS = 200
MOMENTS = ("any", "request", "stored", "spool")
LATEST_S = 1.2
STRIKES_WITHIN_S = 6.0
BAD_FRAC = 0.25
DOWN_FRAC = 0.3
"""Of the lives: the server breaks every connection, so that a backlog comes about."""
BACKLOG = 3
ENDS_WITHIN_S = 120.0
SETTINGS = """
[uploads]
first_wait_s = 0.02
longest_wait_s = 0.2
"""


@dataclass
class Campaign:
    """A client that is killed again and again, and what it has been given."""

    folder: Path
    stand: Stand
    rng: random.Random
    process: "subprocess.Popen[bytes] | None" = None
    wanted: str = ""
    """The moment that is waited for to kill."""
    is_down: bool = False
    kills: Counter[str] = field(default_factory=Counter)
    expected: set[str] = field(default_factory=set)
    nights: int = 0
    struck: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.files = self.folder / "nights"
        self.files.mkdir()
        (self.folder / "monitor.toml").write_text(SETTINGS)
        self.stand.before = lambda: self.met("request")
        self.stand.after = lambda: self.met("stored")

    def met(self, moment: str) -> str:
        """Kill if this is the moment; else answer well, or badly."""
        if self.wanted == moment:
            self.strike(moment)
        if self.is_down:
            return "break"
        return self.rng.choice(["fail", "break"]) if self.rng.random() < BAD_FRAC else ""

    def strike(self, moment: str) -> None:
        """Kill the client."""
        self.wanted = ""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.kills[moment] += 1
        self.struck.set()

    def feed(self) -> None:
        """Give it another night to hear where it has heard the others."""
        heard = self.folder / "state" / "heard.jsonl"
        done = heard.read_bytes().count(b"wav") if heard.exists() else 0
        while self.nights - done < BACKLOG:
            _, keys = put_night(self.files, self.nights)
            self.nights += 1
            self.expected |= keys

    def start(self, *words: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "monitor", "run", "--path", str(self.files), "--quiet"]
        state = ["--config", str(self.folder / "monitor.toml"), "--state", str(self.state)]
        log = (self.folder / "log").open("ab")
        with log:
            return subprocess.Popen([*command, *state, *words], cwd=ROOT, stderr=log)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def life(self, moment: str) -> None:
        """Let it live until a moment of this kind."""
        self.feed()
        self.struck.clear()
        self.is_down = self.rng.random() < DOWN_FRAC and moment in ("any", "spool")
        self.process = self.start("--watch")
        if moment == "any":
            time.sleep(self.rng.uniform(0.0, LATEST_S))
        elif moment == "spool":
            self._wait_for_spool(self.rng.randint(1, 3))
        else:
            self.wanted = moment
            self.struck.wait(STRIKES_WITHIN_S)
        if not self.struck.is_set():
            self.strike(moment)
        assert self.process.wait() == -signal.SIGKILL, (self.folder / "log").read_text()

    def _wait_for_spool(self, changes: int) -> None:
        """Wait until the names in the spool have changed so often."""
        until = time.monotonic() + STRIKES_WITHIN_S
        seen = self._names()
        while changes and time.monotonic() < until:
            now = self._names()
            changes -= now != seen
            seen = now

    def _names(self) -> list[str]:
        waiting = self.state / "spool" / "waiting"
        return sorted(path.name for path in waiting.glob("*")) if waiting.exists() else []


def test_whenever_the_client_is_killed_every_cry_arrives_exactly_once(
    tmp_path: Path,
    campaign_scale: float,
    campaign_seed: int,
    campaign_report: Callable[[str], None],
) -> None:
    rng, start = random.Random(campaign_seed), time.monotonic()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    kills, stand = round(KILLS * campaign_scale), Stand()
    with a_server(stand) as url:
        campaign = Campaign(tmp_path, stand, rng)
        write_credential(campaign.state / "credential.json", Credential(url, stand.token))
        moments = [MOMENTS[number % len(MOMENTS)] for number in range(kills)]
        rng.shuffle(moments)
        for moment in moments:
            campaign.life(moment)
        campaign.is_down = False
        assert campaign.start().wait(ENDS_WITHIN_S) == 0, (tmp_path / "log").read_text()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    stored = Counter(stand.keys)
    lost = campaign.expected - set(stored)
    doubled = sum(stored.values()) - len(campaign.expected & set(stored))
    used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    each = ", ".join(f"{moment} {campaign.kills[moment]}" for moment in MOMENTS)
    campaign_report(
        f"client's kills={sum(campaign.kills.values())} ({each}), nights={campaign.nights}, "
        f"cries={len(campaign.expected)}, arrived={sum(stored.values())}, lost={len(lost)}, "
        f"doubled={doubled}, replays={stand.replays}, requests={len(stand.requests)}, "
        f"bulk={sum('bulk' in path for path, _ in stand.requests)}, "
        f"processor={used_s:.0f} s, seconds={time.monotonic() - start:.0f}, seed={campaign_seed}"
    )
    assert (len(lost), doubled) == (0, 0)
    assert sum(campaign.kills.values()) == kills
    assert len(campaign.expected) >= campaign.nights
    left = look_into(campaign.state / "spool")
    assert (left.waiting, left.aside, left.dropped, left.is_in_use) == ((), (), 0, False)
    assert not list((campaign.state / "spool" / "waiting").iterdir())
