"""Recordings from an archive on disk: a manifest, or a folder of Donate-a-Cry files.

What comes in: rows of a manifest. What goes out: for each row a named outcome. Guaranteed: a row
takes the same path as a device's upload, so importing twice adds nothing, an import that was
broken off goes on where it stopped, and one bad row disturbs no other.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.files.base import File
from django.db import transaction

from devices.errors import RevokedDeviceError
from devices.models import Device
from infants.access import Viewer
from infants.assignments import BEFORE_ALL, assign_device
from infants.depot.errors import DepotError
from infants.errors import InfantError, UnknownInfantError
from infants.models import Household, Infant, Recording
from infants.selectors import infant_named
from infants.stages.upload import Upload, store_upload
from infants.storage import digest
from pipelines.manifest import BadRow, ManifestRow, read_directory, read_manifest


@dataclass(frozen=True)
class Outcome:
    """What became of one row: stored, already there, or a typed reason why it was not taken."""

    row: str
    result: str
    detail: str = ""
    recording_id: UUID | None = None


@dataclass(frozen=True)
class Archive:
    """How rows become uploads: which infants may be created, and where those live."""

    create_infants: bool
    time_zone: str

    def take(self, rows: Sequence[ManifestRow | BadRow]) -> Iterator[Outcome]:
        """Yield the outcome of each row, oldest recording first, after it is committed."""
        yield from (
            Outcome(f"line {row.line}", row.reason, row.detail)
            for row in rows
            if isinstance(row, BadRow)
        )
        good = (row for row in rows if isinstance(row, ManifestRow))
        for row in sorted(good, key=lambda row: row.recorded_at):
            yield self._take_one(row)

    def foresee(self, rows: Sequence[ManifestRow | BadRow]) -> Iterator[Outcome]:
        """Yield what would become of each row; nothing is written."""
        for row in rows:
            if isinstance(row, BadRow):
                yield Outcome(f"line {row.line}", row.reason, row.detail)
            else:
                yield self._foreseen(row)

    def _foreseen(self, row: ManifestRow) -> Outcome:
        try:
            infant = self._known(row.infant)
            with row.file.open("rb") as stream:
                sha256, _ = digest(File(stream), settings.ICLAS_MAX_UPLOAD_BYTES)
        except InfantError as error:
            return Outcome(row.file.name, error.code, str(error))
        except OSError as error:
            return Outcome(row.file.name, "unreadable_file", error.strerror or "")
        same = Recording.objects.filter(
            sha256=sha256, infant=infant, device__kind=Device.Kind.ARCHIVE
        )
        if infant is not None and same.exists():
            return Outcome(row.file.name, "already there")
        return Outcome(row.file.name, "would be stored", f"at {row.recorded_at.isoformat()}")

    def _known(self, key: str) -> Infant | None:
        """Return the infant, or None where it would be created."""
        try:
            return infant_named(Viewer.system(), key)
        except UnknownInfantError:
            if not self.create_infants:
                raise
            return None

    def _take_one(self, row: ManifestRow) -> Outcome:
        try:
            device = self._device(self._infant(row.infant), row.device or "")
            with row.file.open("rb") as stream:
                stored = store_upload(device, _upload(row, File(stream, name=row.file.name)))
        except (InfantError, RevokedDeviceError) as error:
            return Outcome(row.file.name, error.code, str(error))
        except DepotError:  # no fault of the file's: the command ends, and goes on when it can
            raise
        except OSError as error:
            return Outcome(row.file.name, "unreadable_file", error.strerror or "")
        recording = stored.recording
        result = "already there" if stored.replayed else "stored"
        said = str(recording.Clock(recording.clock).label) if recording.clock != "ok" else ""
        return Outcome(row.file.name, result, said, recording.id)

    def _infant(self, key: str) -> Infant:
        known = self._known(key)
        if known is not None:
            return known
        with transaction.atomic():
            household = Household.objects.create(name=f"Household of {key}")
            return Infant.objects.create(
                household=household, name=key, source_key=key, time_zone=self.time_zone
            )

    @staticmethod
    def _device(infant: Infant, hardware: str) -> Device:
        """Return the stand-in for whatever recorded the archive's sounds of this infant."""
        kind = Device.Kind.ARCHIVE
        known = Device.objects.filter(kind=kind, hardware=hardware, assignments__infant=infant)
        device = known.first()
        if device is None:
            with transaction.atomic():
                name = f"archive of {infant.name}"
                device = Device.objects.create(name=name, kind=kind, hardware=hardware)
                assign_device(device, infant, since=BEFORE_ALL)
        if device.revoked_at is not None:
            raise RevokedDeviceError
        return device


def _upload(row: ManifestRow, audio: File) -> Upload:
    return Upload(
        audio=audio,
        recorded_at=row.recorded_at.astimezone(dt.UTC).isoformat(),
        reported_age_days=row.age_days,
    )


def read_rows(source: Path) -> list[ManifestRow | BadRow]:
    """Return the rows of a manifest file, or of a folder of Donate-a-Cry recordings."""
    return read_directory(source) if source.is_dir() else read_manifest(source)
