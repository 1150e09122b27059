"""Crash campaigns: processes killed, messages thrown away, a recording that kills its worker."""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from django.conf import settings

from infants.models import Recording
from infants.states import Reason, State
from tests.flow.books import Account, account
from tests.flow.calm import differences, judged_in_peace, verdicts
from tests.flow.crashes import VICTIMS, Blow, Killer, blows
from tests.flow.load import POISON, Load, Monitor
from tests.installation import ALIAS, ROOT, Installation, installed

pytestmark = pytest.mark.django_db
KILLS = 100
BUSY = 8  # recordings on their way at least, so that every moment is one under load
DAYS = 10
WAVES = 20
WAVE_S = (0.5, 3.0)
HURRIED = {"ICLAS_SWEEP_EVERY_S": "2", "ICLAS_STANDS_STILL_S": "4", "LOG_LEVEL": "WARNING"}
# A worker that is killed every few seconds may well be killed five times over one fit.
PATIENT = {"ICLAS_MAX_ATTEMPTS": "20"}
DRAINED_WITHIN_S = 240.0
TWO_INFANTS = """
from tests.builders import a_device, an_infant
from devices.models import issue_token
for name, zone in (("Ada", "Europe/Zurich"), ("Grace", "America/New_York")):
    print(issue_token(a_device(an_infant(name=name, time_zone=zone))))
"""


@contextmanager
def loaded(installation: Installation, rng: random.Random) -> Iterator[Load]:
    """Let two monitors upload for the length of the block, and deliver what they have."""
    tokens = installation.manage("shell", "--verbosity", "0", "-c", TWO_INFANTS).split()
    monitors = [
        Monitor(installation.url, token, number, random.Random(rng.random()))
        for number, token in enumerate(tokens)
    ]
    load = Load(installation, monitors, rng)
    try:
        yield load
    except BaseException:
        load.drop()
        raise
    finally:
        load.end()


def _killer(installation: Installation, load: Load) -> Killer:
    """Return a killer who keeps the load up while waiting."""

    def meanwhile(blow: Blow) -> None:
        waits_for_uploads = blow.at_work and blow.victim == "web"
        load.keep_up(4 * BUSY if waits_for_uploads else BUSY)
        time.sleep(0.01)

    installation.wait_for("something on its way", load.backlog)
    return Killer(installation, lambda: any(m.sending for m in load.monitors), meanwhile)


def _keep_busy(installation: Installation, load: Load, killer: Killer, blow: Blow) -> None:
    """Wait for the moment of a blow, with something on its way."""
    until = time.monotonic() + blow.after_s

    def is_time() -> bool:
        killer.meanwhile(blow)
        return time.monotonic() > until and load.backlog() > 0

    installation.wait_for("something on its way", is_time)


def _come_to_rest(installation: Installation, load: Load) -> float:
    """Wait until nothing is on its way any more; return how long it took."""
    start = time.monotonic()
    installation.wait_for("everything to end", lambda: not load.backlog(), DRAINED_WITHIN_S)
    return time.monotonic() - start


def test_whoever_is_killed_nothing_is_lost_and_nothing_doubled(
    tmp_path: Path,
    campaign_scale: float,
    campaign_seed: int,
    campaign_report: Callable[[str], None],
) -> None:
    start, rng = time.monotonic(), random.Random(campaign_seed)
    kills = round(KILLS * campaign_scale)
    with installed(tmp_path, workers=2, **HURRIED, **PATIENT) as installation:
        with loaded(installation, rng) as load:
            load.history()
            killer = _killer(installation, load)
            for number, blow in enumerate(blows(rng, kills)):
                _keep_busy(installation, load, killer, blow)
                killer.strike(blow)
                if number % max(1, kills // DAYS) == 0:
                    load.next_day()
            load.afterwards()
        drain_s = _come_to_rest(installation, load)
        found = account(installation, load.monitors)
        campaign_s = time.monotonic() - start
        judged_in_peace(installation)
        found.faults += differences(verdicts(ALIAS), verdicts("default"))
    (tmp_path / "faults").write_text("\n".join(found.faults))
    campaign_report(_line(killer, found, f"seed={campaign_seed}", drain_s, campaign_s))
    assert found.faults == []
    assert (found.lost, found.doubled) == (0, 0)
    assert sum(killer.killed.values()) == kills
    assert found.scored > 0


def _line(killer: Killer, found: Account, seed: str, drain_s: float, campaign_s: float) -> str:
    def each(counts: Counter[str]) -> str:
        return ", ".join(f"{victim} {counts[victim]}" for victim in VICTIMS)

    return (
        f"kills={sum(killer.killed.values())} ({each(killer.killed)}; "
        f"at work then: {each(killer.busy)}), "
        f"acknowledged={found.acknowledged}, judged={found.judged}, scored={found.scored}, "
        f"rejected={found.rejected}, lost={found.lost}, doubled={found.doubled}, "
        f"unacknowledged but stored={found.unacknowledged_but_stored}, "
        f"replays={found.replays}, broken requests={found.broken}, "
        f"faults={len(found.faults)}, at rest after={drain_s:.0f} s, "
        f"seconds={campaign_s:.0f}, {seed}"
    )


# --- a broker that loses everything ----------------------------------------------------------


def _thrown_away(installation: Installation) -> int:
    """Delete every message that waits in the broker's folder; return how many."""
    thrown = 0
    for message in (installation.home / "broker").glob("*.msg"):
        with suppress(FileNotFoundError):  # a worker was faster
            message.unlink()
            thrown += 1
    return thrown


@pytest.mark.embedded
def test_whatever_a_broker_throws_away_everything_is_judged(
    tmp_path: Path,
    campaign_scale: float,
    campaign_seed: int,
    campaign_report: Callable[[str], None],
) -> None:
    """It loses all its messages in waves; in the end nobody but the sweeper knows what waits."""
    start, rng = time.monotonic(), random.Random(campaign_seed)
    thrown = 0
    with installed(tmp_path, workers=2, **HURRIED) as installation:
        with loaded(installation, rng) as load:
            load.history()
            done = installation.rows(Recording).filter(state=State.DONE)
            installation.wait_for("something done", done.exists)
            for _ in range(round(WAVES * campaign_scale)):
                until = time.monotonic() + rng.uniform(*WAVE_S)
                while time.monotonic() < until:
                    load.keep_up(BUSY)
                    thrown += _thrown_away(installation)
                until = time.monotonic() + rng.uniform(*WAVE_S)
                while time.monotonic() < until:
                    load.keep_up(BUSY)
                    time.sleep(0.02)
            load.send(["cry"] * 4)
            while load.unsent():
                thrown += _thrown_away(installation)
            stranded = load.backlog()
        rest_s = _come_to_rest(installation, load)
        found = account(installation, load.monitors)
    campaign_report(
        f"messages thrown away={thrown}, acknowledged={found.acknowledged}, "
        f"judged={found.judged}, rejected={found.rejected}, lost={found.lost}, "
        f"doubled={found.doubled}, without a message in the end={stranded}, "
        f"at rest after={rest_s:.0f} s, "
        f"seconds={time.monotonic() - start:.0f}, seed={campaign_seed}"
    )
    assert found.faults == []
    assert (found.lost, found.doubled) == (0, 0)
    assert min(thrown, stranded) > 0


# --- a recording that kills its worker -------------------------------------------------------

POISONED = f"""
import os, pathlib, signal, sys

if "worker" in sys.orig_argv:
    import pipelines.segment

    healthy = pipelines.segment.segment

    def segment(content):
        if content.endswith({POISON!r}):
            with pathlib.Path(os.environ["DEATHS"]).open("a") as deaths:
                deaths.write(str(os.getpid()) + "\\n")
            os.kill(os.getpid(), signal.SIGKILL)
        return healthy(content)

    pipelines.segment.segment = segment
"""


@pytest.mark.embedded
def test_a_recording_that_kills_its_worker_is_set_aside_and_takes_nobody_with_it(
    tmp_path: Path, campaign_seed: int, campaign_report: Callable[[str], None]
) -> None:
    start, rng = time.monotonic(), random.Random(campaign_seed)
    (tmp_path / "sitecustomize.py").write_text(POISONED)
    deaths = tmp_path / "deaths"
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    with installed(tmp_path, PYTHONPATH=path, DEATHS=str(deaths), **HURRIED) as installation:
        with loaded(installation, rng) as load:
            load.send(["cry"] * 2)
            load.send(["cry", "poison", "cry"], to=load.monitors[:1])
            while load.unsent():  # so that the sweeper sends them all on in one message
                _thrown_away(installation)
            workers = installation.processes("worker")
            _come_to_rest(installation, load)
            load.send(["cry"])
        _come_to_rest(installation, load)
        found = account(installation, load.monitors)
        assert installation.processes("worker") == workers
        given_up = installation.rows(Recording).filter(reason=Reason.GAVE_UP).count()
    died = deaths.read_text().split()
    campaign_report(
        f"poisonous={given_up}, workers' processes that died of them={len(died)}, "
        f"judged={found.judged}, lost={found.lost}, doubled={found.doubled}, "
        f"seconds={time.monotonic() - start:.0f}, seed={campaign_seed}"
    )
    assert found.faults == []
    assert given_up == 1
    assert len(died) == len(set(died)) == settings.ICLAS_MAX_ATTEMPTS


# --- a pool that is killed while it waits ------------------------------------------------------


@pytest.mark.embedded
def test_processes_killed_while_they_wait_for_work_leave_a_worker_that_works(
    tmp_path: Path, campaign_seed: int
) -> None:
    """One of those that wait holds the lock of the queue, and takes it with it."""
    with installed(tmp_path, workers=2, **HURRIED) as installation:
        with loaded(installation, random.Random(campaign_seed)) as load:
            load.send(["cry"])
            _come_to_rest(installation, load)
            for process in installation.processes("pool"):
                process.kill()
            load.send(["cry"])
        _come_to_rest(installation, load)
        found = account(installation, load.monitors)
    assert found.faults == []
    assert (found.acknowledged, found.judged, found.lost, found.doubled) == (4, 4, 0, 0)
