"""The admin pages of judgement: read-only, and all of them open."""

import pytest
from django.contrib import admin
from django.urls import reverse

from anomaly.models import Episode, Event, GateDecision, PersonalModel, ScorePoint
from tests.builders import (
    START,
    a_decision,
    a_model,
    a_recording,
    a_user,
    an_episode,
    an_infant,
    as_user,
)

pytestmark = pytest.mark.django_db


def test_every_page_opens_and_changes_nothing() -> None:
    client = as_user(a_user(is_staff=True, is_superuser=True))
    infant = an_infant()
    recording = a_recording(infant)
    event = Event.objects.create(infant=infant, kind="model_learnt", key="k", occurred_at=START)
    rows = [an_episode(infant), event, a_model(infant), a_decision(recording)]
    for row in rows:
        name = row._meta.model_name
        assert client.get(reverse(f"admin:anomaly_{name}_changelist")).status_code == 200
        assert client.get(reverse(f"admin:anomaly_{name}_add")).status_code == 403
        page = reverse(f"admin:anomaly_{name}_change", args=[row.pk])
        assert client.get(page).status_code == 200
        assert client.post(page, {}).status_code == 403


def test_what_is_registered() -> None:
    for model in (Episode, Event, GateDecision, PersonalModel):
        assert admin.site.is_registered(model)
    assert not admin.site.is_registered(ScorePoint)
