"""Studies of readings: who makes one, what is in it, who reads in which order, what is found."""

import pytest

from anomaly.errors import ReadingPlanError
from anomaly.models import Episode, Opinion, ReadingItem, ReadingTask
from anomaly.reading_tasks import close_reading, read_item
from anomaly.selectors.readings import (
    is_done,
    own_order,
    progress_in,
    recordings_in,
    results_of,
    rows_of,
    tasks_to_read,
)
from infants.access import Viewer
from infants.models import Infant, Membership, Recording, User
from tests.anomaly.studied import DAY, a_clinician, a_studied_infant, a_task
from tests.builders import START, a_member, an_episode

pytestmark = pytest.mark.django_db


@pytest.fixture
def infants() -> list[Infant]:
    return [a_studied_infant("Ada"), a_studied_infant("Ben")]


@pytest.fixture
def owner(infants: list[Infant]) -> User:
    return a_clinician(*infants)


@pytest.fixture
def readers(infants: list[Infant]) -> list[User]:
    return [a_clinician(*infants), a_clinician(*infants)]


@pytest.fixture
def task(owner: User, infants: list[Infant], readers: list[User]) -> ReadingTask:
    return a_task(owner, infants, readers)


def _order(task: ReadingTask, user: User) -> list[ReadingItem]:
    return own_order(Viewer(user=user), task.readers.get(user=user))


def _read_all(task: ReadingTask, user: User, said: dict[str, str] | None = None) -> None:
    """Let a reader say what is given for each word of the model, or what the model says."""
    for place, item in enumerate(_order(task, user), start=1):
        opinion = (said or {}).get(item.model_says, item.model_says)
        assert read_item(Viewer(user=user), task.id, place, opinion, 3) is not None


# --- made ----------------------------------------------------------------------------------------


def test_the_items_are_bouts_with_the_models_word_of_that_time(task: ReadingTask) -> None:
    items = list(task.items.all())
    assert [item.number for item in items] == list(range(1, 9))
    assert sorted(item.model_says for item in items) == ["unusual"] * 4 + ["usual"] * 4
    assert all(item.recordings.count() == 1 for item in items)
    assert {item.model_facts["p_value"] for item in items} == {0.01, 0.02, 0.5, 0.9}


def test_half_of_few_are_unusual(owner: User, infants: list[Infant], readers: list[User]) -> None:
    task = a_task(owner, infants, readers, per_infant=2)
    for infant in infants:
        said = sorted(task.items.filter(infant=infant).values_list("model_says", flat=True))
        assert said == ["unusual", "usual"]


def test_the_same_seed_draws_the_same(
    owner: User, infants: list[Infant], readers: list[User]
) -> None:
    drawn = [
        list(a_task(owner, infants, readers, seed=seed).items.values_list("starts_at", "infant"))
        for seed in (3, 3, 4)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_episodes_come_with_usual_bouts_beside_them(
    owner: User, infants: list[Infant], readers: list[User]
) -> None:
    kind = Episode.Kind.PERSISTENT_SHIFT
    an_episode(infants[0], START, kind=kind, last_at=START + 1.5 * DAY)
    an_episode(infants[0], START, kind=Episode.Kind.NEW_SURROUNDINGS)
    unit = ReadingTask.Unit.EPISODE
    items = list(a_task(owner, infants[:1], readers, unit=unit).items.order_by("starts_at"))
    assert [item.model_says for item in items] == ["unusual", "usual"]
    assert items[0].recordings.count() == 2
    assert items[1].starts_at == START + 3 * DAY


def test_a_whole_infant_is_one_item(
    owner: User, infants: list[Infant], readers: list[User]
) -> None:
    an_episode(infants[0], START)
    task = a_task(owner, infants, readers, unit=ReadingTask.Unit.INFANT)
    said = dict(task.items.values_list("infant", "model_says"))
    assert said == {infants[0].id: "unusual", infants[1].id: "usual"}
    assert [item.recordings.count() for item in task.items.all()] == [4, 4]


def test_who_may_not_review_an_infant_makes_no_study_of_it(
    infants: list[Infant], readers: list[User]
) -> None:
    caregiver = a_member(infants[0], Membership.Role.CAREGIVER)
    with pytest.raises(ReadingPlanError) as caught:
        a_task(caregiver, infants[:1], readers)
    assert caught.value.field == "infants"


def test_who_may_not_listen_is_no_reader(owner: User, infants: list[Infant]) -> None:
    for user in (a_member(infants[0], Membership.Role.RESEARCHER), a_clinician(infants[1])):
        with pytest.raises(ReadingPlanError) as caught:
            a_task(owner, infants, [user])
        assert caught.value.field == "readers"


def test_nobody_reads_blindly_what_they_chose(owner: User, infants: list[Infant]) -> None:
    with pytest.raises(ReadingPlanError):
        a_task(owner, infants, [owner])
    assert a_task(owner, infants, [owner], is_blinded=False).readers.count() == 1


def test_what_cannot_be_heard_is_no_study(
    owner: User, infants: list[Infant], readers: list[User]
) -> None:
    Recording.objects.update(audio="")
    with pytest.raises(ReadingPlanError):
        a_task(owner, infants, readers)
    assert not ReadingTask.objects.exists()


# --- read ----------------------------------------------------------------------------------------


def test_each_reader_has_an_order_of_their_own_that_stays(
    task: ReadingTask, readers: list[User]
) -> None:
    first, second = (_order(task, user) for user in readers)
    assert first != second
    assert set(first) == set(second) == set(task.items.all())
    assert _order(task, readers[0]) == first


def test_who_may_listen_no_longer_hears_no_longer(
    task: ReadingTask, infants: list[Infant], readers: list[User]
) -> None:
    before = _order(task, readers[0])
    infants[0].memberships.filter(user=readers[0]).update(revoked_at=START)
    viewer = Viewer(user=readers[0])
    assert _order(task, readers[0]) == [one for one in before if one.infant_id == infants[1].id]
    lost = next(one for one in before if one.infant_id == infants[0].id)
    assert recordings_in(viewer, lost) == []
    assert [one.n_items for one in tasks_to_read(viewer)] == [4]


def test_a_reading_is_changed_until_everything_is_read(
    task: ReadingTask, readers: list[User]
) -> None:
    viewer = Viewer(user=readers[0])
    first = read_item(viewer, task.id, 1, Opinion.USUAL, 1)
    assert first is not None
    assert first.changed_at is None
    again = read_item(viewer, task.id, 1, Opinion.UNUSUAL, 2)
    assert again is not None
    assert (again.id, again.opinion, again.changed_at is None) == (first.id, "unusual", False)
    _read_all(task, readers[0])
    assert read_item(viewer, task.id, 1, Opinion.USUAL, 1) is None


@pytest.mark.parametrize("place", [0, 9, -1])
def test_there_is_nothing_beside_the_items(
    task: ReadingTask, readers: list[User], place: int
) -> None:
    assert read_item(Viewer(user=readers[0]), task.id, place, Opinion.USUAL, 1) is None


def test_only_readers_read_and_only_the_owner_closes(
    task: ReadingTask, owner: User, readers: list[User]
) -> None:
    assert read_item(Viewer(user=owner), task.id, 1, Opinion.USUAL, 1) is None
    assert close_reading(Viewer(user=readers[0]), task.id) is None
    closed = close_reading(Viewer(user=owner), task.id)
    assert closed is not None
    assert closed.closed_at is not None
    assert read_item(Viewer(user=readers[0]), task.id, 1, Opinion.USUAL, 1) is None
    assert close_reading(Viewer(user=owner), task.id) == closed


# --- found ---------------------------------------------------------------------------------------


def test_done_once_everybody_has_read_everything(task: ReadingTask, readers: list[User]) -> None:
    _read_all(task, readers[0])
    assert not is_done(task, progress_in(task))
    _read_all(task, readers[1])
    assert is_done(task, progress_in(task))


def test_readers_agree_with_each_other_and_with_the_model(
    task: ReadingTask, readers: list[User]
) -> None:
    _read_all(task, readers[0])
    _read_all(task, readers[1], {"usual": "unusual", "unusual": "usual"})
    found = results_of(task)
    assert found.readers is not None
    assert (found.readers.kappa, found.readers.n_items, found.readers.n_readers) == (-1.0, 8, 2)
    assert [one.found.kappa for one in found.against_model] == [1.0, -1.0]


def test_who_cannot_tell_is_not_held_against_the_model(
    task: ReadingTask, readers: list[User]
) -> None:
    _read_all(task, readers[0], {"usual": "cannot_tell"})
    _read_all(task, readers[1])
    first, second = results_of(task).against_model
    assert (first.found.n_items, first.n_untold, first.found.kappa) == (4, 4, None)
    assert (second.found.n_items, second.n_untold, second.found.kappa) == (8, 0, 1.0)


def test_three_readers_have_fleiss_kappa(
    owner: User, infants: list[Infant], readers: list[User]
) -> None:
    task = a_task(owner, infants, [*readers, a_clinician(*infants)])
    for reader in task.readers.all():
        _read_all(task, reader.user)
    found = results_of(task).readers
    assert found is not None
    assert (found.n_readers, found.kappa) == (3, 1.0)


def test_what_leaves_the_house_has_no_names(
    task: ReadingTask, infants: list[Infant], readers: list[User]
) -> None:
    _read_all(task, readers[0])
    rows = rows_of(task)
    assert len(rows) == 8
    assert {row["infant"] for row in rows} == {1, 2}
    said = str(rows)
    for hidden in ("Ada", "Ben", *(str(i.id) for i in infants), *(u.username for u in readers)):
        assert hidden not in said
