"""Erasing an infant leaves nothing of it, nothing of others harmed, and a proof."""

import datetime as dt
from pathlib import Path

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import models

from anomaly import erasure
from anomaly.erasure import erase_infant, erasure_of, finish_erasures
from devices.heartbeats import Beat, note_heartbeat, note_presence
from devices.models import Device, Heartbeat, Presence
from infants.access import Viewer
from infants.assignments import assign_device
from infants.errors import UnknownInfantError
from infants.invitations import Terms, invite
from infants.models import DiaryEntry, Erasure, Household, Infant, Membership, Recording, User
from infants.pairing import offer_pairing
from infants.states import State
from tests.builders import (
    START,
    a_decision,
    a_device,
    a_judgement,
    a_member,
    a_model,
    a_point,
    a_recording,
    a_rollup,
    a_session,
    a_user,
    an_episode,
    an_infant,
    some_cries,
)

pytestmark = pytest.mark.django_db


def _file(name: str) -> str:
    return default_storage.save(name, ContentFile(name.encode()))


def _lived(**given: object) -> tuple[User, Infant]:
    """Return an infant with something of everything, and its owner."""
    infant = an_infant(**given)
    owner = a_member(infant)
    device = a_device(infant)
    session = a_session(infant)
    recording = a_recording(infant, START, device, session=session)
    Recording.objects.filter(id=recording.id).update(audio=_file(f"audio/{recording.id}"))
    some_cries(recording)
    a_decision(recording)
    model = a_model(infant, artefact=_file(f"models/{infant.id}/one.safetensors"))
    _file(f"models/{infant.id}/pruned.safetensors")
    a_judgement(recording, model)
    a_point(recording, model)
    a_rollup(infant, START.date(), 0.5)
    an_episode(infant)
    DiaryEntry.objects.create(infant=infant, kind="note", starts_at=START, text="a note")
    invite(Viewer.of(owner), owner, [infant.id], Terms("caregiver"))
    offer_pairing(Viewer.of(owner), owner, infant.id)
    return owner, infant


def _rows_of(infant: Infant) -> dict[str, int]:
    """Return how many rows of any kind point at an infant."""
    found = {}
    for model in apps.get_models():
        for field in model._meta.get_fields():
            is_pointer = isinstance(field, models.ForeignKey | models.ManyToManyField)
            if is_pointer and field.related_model is Infant:
                n_rows = model._default_manager.filter(**{field.name: infant.id}).count()
                if n_rows:
                    found[model._meta.label] = n_rows
    return found


def test_nothing_is_left_and_the_proof_counts_it() -> None:
    owner, infant = _lived(name="Adelheid")
    before = _rows_of(infant)
    audio = Recording.objects.get().audio
    assert len(before) > 10
    proof = erase_infant(Viewer.of(owner), infant.id)
    assert _rows_of(infant) == {}
    assert not Infant.objects.exists()
    assert not Household.objects.exists()
    assert not default_storage.exists(audio)
    assert default_storage.listdir(f"models/{infant.id}")[1] == []
    for label in set(before) - {"infants.Invitation"}:  # its row has lost its infants only
        assert proof.rows[label] == before[label], label
    assert proof.rows["infants.Cry"] == 2
    assert proof.n_files == 3
    assert proof.completed_at is not None
    assert "Adelheid" not in str(Erasure.objects.values())
    assert erasure_of(Viewer.of(owner), proof.id) == proof
    assert erasure_of(Viewer.of(a_user()), proof.id) is None


def test_a_twin_keeps_everything() -> None:
    owner, infant = _lived()
    twin = an_infant(household=infant.household)
    theirs = a_recording(twin, START)
    shared = Recording.objects.get(infant=infant).audio
    Recording.objects.filter(id=theirs.id).update(audio=shared)
    erase_infant(Viewer.of(owner), infant.id)
    assert Recording.objects.get() == theirs
    assert default_storage.exists(shared)
    assert Household.objects.get() == twin.household


def test_monitors_of_nobody_else_are_revoked_with_what_they_held() -> None:
    owner, infant = _lived()
    own = infant.assignments.get().device
    held = a_recording(None, START, own, state=State.HELD, audio=_file("audio/held"))
    shared = a_device(an_infant())
    infant.assignments.create(device=shared, starts_at=START, ends_at=START + dt.timedelta(days=1))
    elsewhere = a_recording(None, START, shared, state=State.HELD)
    erase_infant(Viewer.of(owner), infant.id)
    assert Device.objects.get(id=own.id).revoked_at is not None
    assert Device.objects.get(id=shared.id).revoked_at is None
    assert not Recording.objects.filter(id=held.id).exists()
    assert not default_storage.exists("audio/held")
    assert Recording.objects.filter(id=elsewhere.id).exists()


def test_what_monitors_of_nobody_else_told_of_themselves_goes() -> None:
    owner, infant = _lived()
    alone, shared = infant.assignments.get().device, a_device(infant)
    assign_device(shared, an_infant())
    for device in (alone, shared):
        note_heartbeat(device, Beat(), START)
    note_presence(None, START)
    erasure = erase_infant(Viewer.of(owner), infant.id)
    assert (erasure.rows["devices.Heartbeat"], erasure.rows["devices.Presence"]) == (1, 1)
    assert Heartbeat.objects.get().device == shared
    assert set(Presence.objects.values_list("device", flat=True)) == {shared.id, None}


@pytest.mark.parametrize("role", [Membership.Role.CAREGIVER, Membership.Role.CLINICIAN, None])
def test_who_does_not_manage_erases_nothing(role: str | None) -> None:
    _, infant = _lived()
    person = a_member(infant, role) if role else a_user()
    with pytest.raises(UnknownInfantError):
        erase_infant(Viewer.of(person), infant.id)
    assert Infant.objects.exists()


def test_what_was_broken_off_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    owner, infant = _lived()
    audio = Recording.objects.get().audio

    def killed(_erasure: Erasure) -> Erasure:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(erasure, "finish_erasure", killed)
        with pytest.raises(KeyboardInterrupt):
            erase_infant(Viewer.of(owner), infant.id)
    assert not Infant.objects.exists()
    assert default_storage.exists(audio)
    assert Erasure.objects.get().completed_at is None
    assert finish_erasures() == 1
    assert not default_storage.exists(audio)
    assert Erasure.objects.get().files_left == []
    assert finish_erasures() == 0
    assert Path(default_storage.path("models")).exists()
