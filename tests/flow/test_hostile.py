"""Hostile files go through upload and worker: no crash, no growth, one clear result each."""

import ctypes
import gc
from collections import Counter
from collections.abc import Callable

import psutil
import pytest

from devices.models import Device
from iclas import flow
from infants.models import Cry, Recording
from infants.states import Reason, State
from tests.builders import a_device, an_infant
from tests.flow.hostile import hostile_files, sounds_of_every_kind, the_longest_cry
from tests.uploads import send

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
FILES = 600
OF_ONE_DEVICE = 20
"""A session is judged as a whole: one of ever more recordings would rightly need ever more room."""
GROWTH_MIB, OF_EACH_MIB = 3.0, 0.01
"""Over two thirds of the files: measured are 0 to 2, and 4 in the longer run after other tests.
Were each decoded sound kept, at 0.2 MiB, it would be 4 in the shorter run and 80 in the longer."""


def _go(device: Device, content: bytes) -> bool:
    """Upload a file, which is taken whatever it holds, and drive it; tell whether it was new."""
    with flow.kept_back() as ids:
        status = send(device, content).status_code
    assert status in (200, 201)
    flow.drive(list(ids))
    return status == 201


def _memory_mib() -> float:
    """Return what this process holds, without what is only not yet given back."""
    gc.collect()
    getattr(ctypes.CDLL(None), "malloc_trim", int)(0)
    return psutil.Process().memory_info().rss / 2**20


def _warm_up() -> None:
    """Let everything grow to the size that ordinary recordings up to the longest need."""
    device = a_device(an_infant())
    for content in (*sounds_of_every_kind().values(), the_longest_cry()):
        _go(device, content)
    assert not Cry.objects.filter(embedding=None).exists()


def test_hostile_files_end_in_one_clear_result_each(
    campaign_scale: float, campaign_seed: int, campaign_report: Callable[[str], None]
) -> None:
    _warm_up()
    usual = list(Recording.objects.values_list("id", flat=True))
    count, new, memory_mib = round(FILES * campaign_scale), 0, []
    for number, (_, content) in enumerate(hostile_files(campaign_seed, count)):
        if number % OF_ONE_DEVICE == 0:
            device = a_device(an_infant())
        new += _go(device, content)
        if number in (count // 3, count - 1):  # while the corpus itself is there
            memory_mib.append(_memory_mib())
    grew_mib = memory_mib[1] - memory_mib[0]
    results = Counter[str]()
    for recording in Recording.objects.exclude(id__in=usual):
        assert recording.state in (State.DONE, State.REJECTED), recording.detail
        assert (recording.state == State.REJECTED) == (recording.reason != Reason.NONE)
        assert not recording.lease_owner
        results[recording.reason or "judged"] += 1
    said = ", ".join(f"{result}: {n}" for result, n in sorted(results.items()))
    assert results.total() == new
    line = f"hostile files={count}, {said}, crashed=0"
    campaign_report(f"{line}, two thirds grew by {grew_mib:.1f} MiB, seed={campaign_seed}")
    assert grew_mib < GROWTH_MIB + OF_EACH_MIB * count
    assert {Reason.UNDECODABLE, Reason.TOO_LONG} <= set(results)
