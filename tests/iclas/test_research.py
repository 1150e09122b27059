"""The Python API of researchers: what it gives, to whom, and that it writes nothing."""

import asyncio
import runpy
from uuid import uuid4

import numpy as np
import pytest
from django.db import connection, transaction

from anomaly.exports.columns import COLUMNS
from iclas import research
from iclas.research import ReadOnlyError, UnknownError, open_installation
from infants.arrays import to_bytes
from infants.consents import give_consent
from infants.models import Consent, Infant, Membership
from infants.pseudonyms import pseudonym
from tests.anomaly.exports.taking import FATES, HOUR, an_infant_with_everything
from tests.builders import START, a_member, an_infant
from tests.house import project

pytestmark = pytest.mark.django_db
EXAMPLES = sorted((project.ROOT / "docs/examples").glob("*.py"))


@pytest.fixture
def infant() -> Infant:
    """Return an infant with a recording of each fate, of which one is embedded."""
    infant, made = an_infant_with_everything()
    for cry in made["scored"].cries.all():
        vector = np.full(192, 192**-0.5, dtype=np.float32)
        cry.embedding, cry.encoder = to_bytes(vector), "numbers"
        cry.save()
    return infant


def test_infants_and_their_recordings_are_read(infant: Infant) -> None:
    other = an_infant(name="Bo")
    installation = open_installation()
    known = {one.id: one.n_recordings for one in installation.infants()}
    assert known == {infant.id: len(FATES), other.id: 0}
    frame = installation.recordings().to_pandas()
    assert list(frame.columns) == [column.name for column in COLUMNS]
    assert len(frame) == len(FATES)
    assert len(installation.recordings(other.id)) == 0
    some = installation.recordings(infant.id, START + HOUR, START + 3 * HOUR)
    assert some["no_score_because"].to_pylist() == ["still_learning", "not_a_cry"]


def test_embeddings_are_arrays(infant: Infant) -> None:
    found = open_installation().embeddings(infant.id)
    assert found.vectors.shape == (2, 192)
    assert found.vectors.dtype == np.float32
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx(1.0)
    assert list(found.index) == [0, 1]
    assert set(found.recorded_at) == {np.datetime64(START.replace(tzinfo=None), "us")}
    assert len(open_installation().embeddings(an_infant().id).vectors) == 0


def test_a_researcher_reads_pseudonyms_where_there_is_consent(infant: Infant) -> None:
    researcher = a_member(infant, Membership.Role.RESEARCHER)
    installation = open_installation(researcher.username)
    assert installation.infants() == []
    give_consent(infant, Consent.Purpose.RESEARCH, a_member(infant))
    [one] = installation.infants()
    assert one.id == pseudonym("infant", infant.id)
    assert set(installation.recordings(one.id)["infant"].to_pylist()) == {str(one.id)}
    with pytest.raises(UnknownError):
        installation.recordings(infant.id)


def test_what_there_is_not_is_named() -> None:
    with pytest.raises(UnknownError, match="nobody"):
        open_installation("nobody")
    unknown = uuid4()
    with pytest.raises(UnknownError, match=str(unknown)):
        open_installation().embeddings(unknown)


def test_nothing_can_be_written(infant: Infant) -> None:
    with pytest.raises(ReadOnlyError), transaction.atomic():
        research._read(lambda: Infant.objects.update(name="Eve"))
    with pytest.raises(ReadOnlyError), transaction.atomic():
        research._read(infant.delete)
    assert Infant.objects.get().name == infant.name


@pytest.mark.django_db(transaction=True)
@pytest.mark.embedded
def test_it_reads_where_an_event_loop_runs(infant: Infant) -> None:
    async def cell() -> int:
        return len(open_installation().recordings())

    assert asyncio.run(cell()) == len(FATES)
    assert connection.execute_wrappers == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(infant: Infant, capsys: pytest.CaptureFixture[str], path: object) -> None:
    runpy.run_path(str(path))
    said = capsys.readouterr().out
    assert str(infant.id) in said
    assert "still_learning" in said or "on_its_way" in said
    assert "median cosine 1.00" in said
