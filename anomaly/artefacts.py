"""Where the arrays of personal models lie, and their way into memory."""

import functools
import hashlib
import tempfile
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage

from anomaly.errors import ArtefactLostError
from anomaly.models import PersonalModel
from infants.depot.errors import BrokenSealError
from pipelines.score import PersonalModel as Fitted

CACHED_MODELS = 256


def keep_artefact(fitted: Fitted, infant_id: UUID) -> tuple[str, str]:
    """Store a fitted model; return its storage name and SHA-256."""
    with tempfile.TemporaryDirectory(dir=settings.ICLAS_HOME.uploads) as folder:
        path = Path(folder) / "model.safetensors"
        sha256 = fitted.save(path)
        with path.open("rb") as stream:
            name = default_storage.save(f"models/{infant_id}/{sha256}.safetensors", File(stream))
    return name, sha256


def fitted_model(model: PersonalModel) -> Fitted:
    """Return a version's detectors and calibration; the newest used ones stay in memory."""
    return _load(model.id, model.artefact, model.sha256, model.encoder)


@functools.lru_cache(maxsize=CACHED_MODELS)
def _load(model_id: UUID, name: str, sha256: str, encoder: str) -> Fitted:
    with tempfile.TemporaryDirectory(dir=settings.ICLAS_HOME.uploads) as folder:
        path = Path(folder) / "model.safetensors"
        path.write_bytes(_content(model_id, name, sha256))
        return Fitted.load(path, encoder)


def _content(model_id: UUID, name: str, sha256: str) -> bytes:
    """Return an artefact's bytes, if they are those that were stored."""
    try:
        with default_storage.open(name) as stored:
            content: bytes = stored.read()
    except (FileNotFoundError, IsADirectoryError, BrokenSealError) as error:
        raise ArtefactLostError(model_id) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ArtefactLostError(model_id)
    return content
