"""Reading an installation from Python: infants, recordings with their scores, embeddings.

What comes in: the installation that `ICLAS_HOME` and `DATABASE_URL` name, and, where asked, a
person with whose rights to read. What goes out: Arrow tables, which turn into data frames
(`to_pandas`) and into plain columns (`to_pydict`), and NumPy arrays. Guaranteed: nothing is
written, whatever is asked for; a researcher gets pseudonyms, and only where there is consent; it
works in a notebook, where an event loop runs.

    from iclas.research import open_installation

    installation = open_installation()
    scores = installation.recordings().to_pandas()

`docs/exports.md` describes the columns, `docs/examples/` shows more.
"""

import asyncio
import datetime as dt
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import django
import numpy as np
from django.apps import apps
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

    from anomaly.selectors.exported import Subject, Taken

Found = TypeVar("Found")


class ReadOnlyError(Exception):
    """Something would have been written."""


class UnknownError(Exception):
    """There is no such person or infant, or none that may be read with these rights."""


@dataclass(frozen=True)
class StudiedInfant:
    """An infant as it may be known here: by its id, or by a pseudonym."""

    id: UUID
    time_zone: str
    gestational_age_weeks: float | None
    n_recordings: int


@dataclass(frozen=True)
class Embeddings:
    """The cries of an infant in the encoder's space, oldest first.

    Attributes
    ----------
    recording, index
        Which recording each is of, ``(n,)``, and its place in it.
    recorded_at
        When that was recorded, in UTC, ``(n,)`` of ``datetime64[us]``.
    encoder
        Fingerprint of the encoder, ``(n,)``: vectors of different encoders do not compare.
    vectors
        Of unit length, ``(n, 192)``.
    """

    recording: NDArray[np.str_]
    index: NDArray[np.int64]
    recorded_at: NDArray[np.datetime64]
    encoder: NDArray[np.str_]
    vectors: NDArray[np.float32]


@dataclass(frozen=True)
class Installation:
    """An installation that is read; `open_installation` gives it."""

    person: str | None

    def infants(self) -> list[StudiedInfant]:
        """Return the infants whose data may be taken away with these rights."""
        return _read(lambda: [_studied(one) for one in self._taken().subjects])

    def recordings(
        self,
        infant: UUID | None = None,
        start: dt.datetime | None = None,
        end: dt.datetime | None = None,
    ) -> "pa.Table":
        """Return recordings, a row each with all that was decided on it: of one infant, or of all.

        Raises
        ------
        UnknownError
            Nothing of this infant may be read.

        """

        def found() -> "pa.Table":
            import pyarrow as pa

            from anomaly.exports.tables import arrow_of

            return pa.concat_tables(arrow_of(self._taken(infant, start, end)))

        return _read(found)

    def embeddings(self, infant: UUID) -> Embeddings:
        """Return the embedded cries of an infant.

        Raises
        ------
        UnknownError
            Nothing of this infant may be read.

        """

        def found() -> Embeddings:
            taken = self._taken(infant)
            return _embeddings(taken, taken.subjects[0])

        return _read(found)

    def _taken(
        self,
        infant: UUID | None = None,
        start: dt.datetime | None = None,
        end: dt.datetime | None = None,
    ) -> "Taken":
        from anomaly.selectors.exported import Taken
        from infants.selectors import exported_infants

        viewer = _viewer(self.person)
        every = Taken.of(viewer, exported_infants(viewer), start, end)
        if infant is None:
            return every
        subjects = [one for one in every.subjects if one.id == infant]
        if not subjects:
            message = f"nothing of the infant {infant} may be read with these rights"
            raise UnknownError(message)
        return Taken(viewer, subjects, start, end)


def open_installation(person: str | None = None) -> Installation:
    """Open the installation that the environment names.

    Parameters
    ----------
    person
        User name of somebody with whose rights to read, and no more; None reads as the operator.

    Raises
    ------
    UnknownError
        There is nobody of this name.

    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iclas.settings")
    if not apps.ready:
        django.setup(set_prefix=False)
    _read(lambda: _viewer(person))
    return Installation(person)


def _viewer(person: str | None) -> Any:  # noqa: ANN401  its module needs Django to be set up
    from infants.access import Viewer
    from infants.models import User

    if person is None:
        return Viewer.system()
    user = User.objects.filter(username=person).first()
    if user is None:
        message = f"there is nobody called {person!r}"
        raise UnknownError(message)
    return Viewer.of(user)


def _studied(subject: "Subject") -> StudiedInfant:
    infant = subject.infant
    n_recordings = infant.recordings.count()
    return StudiedInfant(subject.id, infant.time_zone, infant.gestational_age_weeks, n_recordings)


def _embeddings(taken: "Taken", subject: "Subject") -> Embeddings:
    from infants.arrays import from_bytes

    rows = list(taken.embeddings(subject))
    vectors = [from_bytes(stored) for *_, stored in rows]
    return Embeddings(
        recording=np.array([str(recording) for recording, *_ in rows], dtype=np.str_),
        index=np.array([index for _, _, index, *_ in rows], dtype=np.int64),
        recorded_at=np.array(
            [at.astimezone(dt.UTC).replace(tzinfo=None) for _, at, *_ in rows],
            dtype="datetime64[us]",
        ),
        encoder=np.array([encoder for *_, encoder, _ in rows], dtype=np.str_),
        vectors=np.stack(vectors) if vectors else np.empty((0, 0), np.float32),
    )


def _read(find: Callable[[], Found]) -> Found:
    """Return what is found, out of the way of an event loop where one runs."""

    def found() -> Found:
        with _reading_only():
            return find()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return found()
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(_then_closed, found).result()


def _then_closed(find: Callable[[], Found]) -> Found:
    """Find, and leave no connection to a thread that ends."""
    from django.db import connection

    try:
        return find()
    finally:
        connection.close()


@contextmanager
def _reading_only() -> Iterator[None]:
    from django.db import connection

    def refuse(execute: Callable[..., Any], sql: str, *given: Any) -> Any:  # noqa: ANN401
        if not sql.lstrip("( \n").upper().startswith("SELECT"):
            message = "an installation that is opened for research is only read"
            raise ReadOnlyError(message)
        return execute(sql, *given)

    with connection.execute_wrapper(refuse):
        yield
