"""Sound for recordings that were made of numbers, so that there is something to hear."""

import hashlib
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from infants.models import Infant
from tests import sounds


def keep_audio(infant: Infant, folder: Path) -> None:
    """Give each of an infant's recordings a cry, with bytes behind it that no other one has."""
    cry = sounds.cry_bytes(folder)
    for recording in infant.recordings.all():
        content = cry + str(recording.id).encode()
        recording.sha256 = hashlib.sha256(content).hexdigest()
        recording.audio = default_storage.save(f"{recording.id}.wav", ContentFile(content))
        recording.source_format = {"container": "wav"}
        recording.save(update_fields=["sha256", "audio", "source_format"])
