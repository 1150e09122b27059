"""Objects in an S3-compatible store, by django-storages, which have arrived before `save` returns.

What comes in: names made of digests, and bytes. What goes out: the same, or an error of the
operating system's kind. Guaranteed: an object is there whole or not at all, for it is sent in one
request with a checksum that the store compares; nothing is ever listed but to delete; what is not
there is told from a store, or a bucket, that is not; a reader that began with one version of an
object never goes on with another; deleting deletes all versions.
"""

import base64
import hashlib
import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage
from storages.utils import clean_name
from urllib3.exceptions import HTTPError

from infants.depot.address import BucketAddress
from infants.depot.errors import DepotAwayError
from infants.depot.sealed import DepotFile, SealedStorage

WINDOW_BYTES = 2**20
"""Read at once: most recordings come with one request, and none is in memory whole by that."""
BUFFER_BYTES = 2**16
CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 20
TRIES = 2


class ObjectStorage(S3Storage):  # type: ignore[misc]  # published without types
    """django-storages' own, with durable writes, ranged reads and errors that say what to do."""

    _shared: tuple[int, Any] | None = None
    _making = threading.Lock()

    @property
    def connection(self) -> Any:  # noqa: ANN401  the SDK makes its classes at run time
        """One for the process, not for each thread: making one takes a tenth of a second.

        Only its client is used, which threads may share; a process that was forked makes its own.
        """
        with self._making:
            if self._shared is None or self._shared[0] != os.getpid():
                with _answering():
                    self._connections = threading.local()
                    self._shared = (os.getpid(), super().connection)
            return self._shared[1]

    @property
    def client(self) -> Any:  # noqa: ANN401  as above
        """What speaks the protocol."""
        return self.connection.meta.client

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Return the name as it is: it belongs to its bytes."""
        del max_length
        return name

    def sync(self, name: str) -> None:
        """Do nothing: what the store has answered for is kept by it."""

    def probe(self) -> None:
        """Ask for the bucket, or raise what stands in the way."""
        try:
            with _answering():
                self.client.head_bucket(Bucket=self.bucket_name)
        except FileNotFoundError as error:
            raise DepotAwayError("there is no such bucket") from error

    def exists(self, name: str) -> bool:
        """Tell whether an object is there; a bucket that is not is an error."""
        try:
            with _answering():
                self.client.head_object(**self._object(name))
        except FileNotFoundError:
            self.probe()
            return False
        return True

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        """Return what lies under a name."""
        with _answering():
            folders, files = super().listdir(name)
        return folders, files

    def delete(self, name: str) -> None:
        """Delete an object, and where the bucket keeps versions, every one of them."""
        with _answering():
            gone = self.client.delete_object(**self._object(name))
            if "VersionId" in gone or gone.get("DeleteMarker"):
                self._delete_versions(name)

    def _delete_versions(self, name: str) -> None:
        key = self._object(name)["Key"]
        pages = self.client.get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self.bucket_name, Prefix=key):
            for version in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                if version["Key"] == key:
                    named = self._object(name) | {"VersionId": version["VersionId"]}
                    self.client.delete_object(**named)

    def _object(self, name: str) -> dict[str, str]:
        return {"Bucket": self.bucket_name, "Key": self._normalize_name(clean_name(name))}

    def _open(self, name: str, mode: str = "rb") -> File:
        if mode != "rb":
            message = "an object is written whole, by saving it"
            raise ValueError(message)
        reader = ObjectReader(self.client, self._object(name))
        return DepotFile(io.BufferedReader(reader, BUFFER_BYTES), name, reader.version)

    def _save(self, name: str, content: File) -> str:
        # MD5 is the checksum that every store of this protocol compares; it guards against
        # accidents on the way, and the digest in the name against everything else.
        md5, size = hashlib.md5(usedforsecurity=False), 0
        for chunk in content.chunks(BUFFER_BYTES):
            md5.update(chunk)
            size += len(chunk)
        content.seek(0)
        with _answering():
            self.client.put_object(
                **self._object(name),
                Body=content.file,
                ContentLength=size,
                ContentMD5=base64.b64encode(md5.digest()).decode(),
                ContentType=self.default_content_type,
            )
        return name


class ObjectDepot(SealedStorage, ObjectStorage):
    """A bucket whose objects are sealed where there is a key."""

    kind = "bucket"


class ObjectReader(io.RawIOBase):
    """An object's bytes, from any place on, by one request for each mebibyte."""

    def __init__(self, client: Any, named: dict[str, str]) -> None:  # noqa: ANN401  as above
        super().__init__()
        self._client = client
        self._named = named
        self._position, self._from, self._window = 0, 0, b""
        self.size, self.version = 0, ""
        self._begin()

    def _begin(self) -> None:
        """Get the first bytes, and with them size and version; of no bytes there is no range."""
        try:
            with _answering():
                answer = self._get(0, WINDOW_BYTES - 1)
                self._window = answer["Body"].read()
        except _NoSuchRangeError:
            return
        whole = answer.get("ContentRange", "").rpartition("/")[2]
        self.size = int(whole) if whole.isdigit() else len(self._window)
        self.version = answer["ETag"]

    def _get(self, first: int, last: int) -> dict[str, Any]:
        same = {"IfMatch": self.version} if self.version else {}
        asked = f"bytes={first}-{last}"
        answer: dict[str, Any] = self._client.get_object(**self._named, Range=asked, **same)
        return answer

    def _fetched(self, first: int, last: int) -> bytes:
        with _answering():
            content: bytes = self._get(first, last)["Body"].read()
        if len(content) != last - first + 1:
            raise DepotAwayError("it sent less than was asked for")
        return content

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read from any place on."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a place."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Read on, as far as what was fetched last goes."""
        if self._position >= self.size:
            return 0
        if not 0 <= self._position - self._from < len(self._window):
            last = min(self._position + WINDOW_BYTES, self.size) - 1
            self._window, self._from = self._fetched(self._position, last), self._position
        start = self._position - self._from
        part = self._window[start : start + len(buffer)]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)


class _NoSuchRangeError(Exception):
    """The object has no byte at the place that was asked for."""


@contextmanager
def _answering() -> Iterator[None]:
    """Tell what is missing, and a store that is away, from each other."""
    try:
        yield
    except ClientError as error:
        raise _meaning(error) from error
    except (BotoCoreError, HTTPError) as error:
        raise DepotAwayError(type(error).__name__) from error


def _meaning(error: ClientError) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code in ("NoSuchKey", "404"):
        return FileNotFoundError("no such object")
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return _NoSuchRangeError()
    if status == HTTPStatus.PRECONDITION_FAILED:
        return DepotAwayError("the object was replaced while it was read")
    return DepotAwayError(code or f"status {status}")


def bucket_options(address: BucketAddress) -> dict[str, Any]:
    """Return what the storage takes to find its bucket."""
    given = {
        "bucket_name": address.bucket,
        "location": address.prefix,
        "endpoint_url": address.endpoint,
        "region_name": address.region,
        "access_key": address.access_key,
        "secret_key": address.secret_key,
        "client_config": Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            retries={"mode": "standard", "total_max_attempts": TRIES},
            s3={"addressing_style": address.addressing},
            signature_version="s3v4",
            # Checksums in trailers are Amazon's alone; the one that every store knows is sent.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    }
    return {name: value for name, value in given.items() if value is not None}
