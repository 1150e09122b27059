"""Recordings that have just come in through the real upload."""

import datetime as dt

from django.core.files.base import ContentFile

from devices.models import Device
from iclas import flow
from infants.assignments import assign_device
from infants.models import Household, Infant, Recording
from infants.stages.upload import Upload, store_upload

START = dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)


def a_monitor(**infant: object) -> Device:
    """Return a device that serves a new infant, described by the keywords."""
    household = Household.objects.create(name="A household")
    device = Device.objects.create(name="A monitor")
    described = {"name": "Ada", "time_zone": "UTC"} | infant
    assign_device(device, Infant.objects.create(household=household, **described))
    return device


def a_received_recording(
    content: bytes, device: Device | None = None, when: dt.datetime = START
) -> Recording:
    """Upload these bytes and return the row, in state `received`; nothing is enqueued."""
    upload = Upload(audio=ContentFile(content, name="cry.wav"), recorded_at=when.isoformat())
    with flow.kept_back():
        return store_upload(device or a_monitor(), upload).recording
