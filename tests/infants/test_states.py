"""The states of a recording, held against the stages, the database and the maths."""

import pytest
from django.db import IntegrityError

from iclas.flow import STEPS
from infants.models import Recording
from infants.states import ENDS, NEXT, ON_THE_WAY, Reason, State
from pipelines.segment import Unusable
from tests.builders import a_device, a_recording, an_infant


def test_every_state_has_its_place() -> None:
    assert set(NEXT) == set(State)
    assert {*ON_THE_WAY, *ENDS, State.HELD} == set(State)
    assert all(target in State for targets in NEXT.values() for target in targets)


def test_each_step_takes_a_state_on_the_way_and_the_next_one_takes_what_it_leaves() -> None:
    takes = [step.takes for step in STEPS]
    assert takes == list(ON_THE_WAY)
    leaves = [*takes[1:], State.DONE]
    for step, left in zip(STEPS, leaves, strict=True):
        assert left in NEXT[step.takes], step.name


def test_the_way_leads_to_an_end_and_never_back() -> None:
    order = list(State)
    for state in ON_THE_WAY:
        forward = [target for target in NEXT[state] if target in ON_THE_WAY or target in ENDS]
        assert forward
        assert all(order.index(target) > order.index(state) for target in forward)
    assert NEXT[State.DONE] == NEXT[State.REJECTED] == ()


def test_what_has_been_scored_is_not_rejected_any_more() -> None:
    for state in (State.GATED, State.SCORED, State.LEARNT, State.ON_TIMELINE):
        assert State.REJECTED not in NEXT[state]


def test_every_reason_of_the_maths_has_a_name_here() -> None:
    assert {reason.value for reason in Unusable} <= {reason.value for reason in Reason}
    assert {"empty", "undecodable"} <= {reason.value for reason in Reason}
    assert all(reason.label for reason in Reason)


@pytest.mark.django_db
@pytest.mark.parametrize("state", [s for s in State if s not in ("received", "held", "failed")])
def test_the_database_judges_nothing_without_an_infant(state: State) -> None:
    with pytest.raises(IntegrityError):
        a_recording(None, device=a_device(), state=state)


@pytest.mark.django_db
def test_the_index_of_what_is_on_its_way_leaves_out_the_ends_alone() -> None:
    index = next(i for i in Recording._meta.indexes if i.name == "recording_on_its_way")
    device = a_device(infant := an_infant())
    for state in State:
        a_recording(infant, device=device, state=state)
    indexed = Recording.objects.filter(index.condition).values_list("state", flat=True)
    assert set(indexed) == set(State) - set(ENDS)
