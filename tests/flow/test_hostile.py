"""Hostile files go through upload and worker: no crash, no growth, one clear result each."""

import gc
from collections import Counter
from collections.abc import Callable
from uuid import UUID

import psutil
import pytest

from devices.models import Device
from iclas import flow
from infants.models import Recording
from infants.states import Reason, State
from tests.builders import a_device, an_infant
from tests.flow.hostile import hostile_files, sounds_of_every_kind
from tests.uploads import send

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
FILES = 600
GROWTH_MIB = 40.0


def _sent(device: Device, content: bytes) -> list[UUID]:
    """Upload a file, which is taken whatever it holds; return what is to be driven."""
    with flow.kept_back() as ids:
        assert send(device, content).status_code in (200, 201)
    return list(ids)


def _memory_mib() -> float:
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20


def test_hostile_files_end_in_one_clear_result_each(
    campaign_scale: float, campaign_seed: int, campaign_report: Callable[[str], None]
) -> None:
    device = a_device(an_infant())
    count = round(FILES * campaign_scale)
    for content in sounds_of_every_kind().values():
        flow.drive(_sent(device, content))
    memory_mib = []
    for number, (_, content) in enumerate(hostile_files(campaign_seed, count)):
        if number == count // 2:
            memory_mib.append(_memory_mib())
        flow.drive(_sent(device, content))
    grew_mib = _memory_mib() - memory_mib[0]
    results = Counter[str]()
    for recording in Recording.objects.all():
        assert recording.state in (State.DONE, State.REJECTED), recording.detail
        assert (recording.state == State.REJECTED) == (recording.reason != Reason.NONE)
        assert not recording.lease_owner
        results[recording.reason or "judged"] += 1
    said = ", ".join(f"{result}: {n}" for result, n in sorted(results.items()))
    line = f"hostile files={count}, {said}, crashed=0"
    campaign_report(f"{line}, grew in the second half by {grew_mib:.0f} MiB, seed={campaign_seed}")
    assert grew_mib < GROWTH_MIB
    assert {Reason.UNDECODABLE, Reason.TOO_LONG} <= set(results)
