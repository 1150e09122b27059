"""The depot's address, as `ICLAS_STORAGE_URL` gives it.

What comes in: nothing (the folder of `ICLAS_HOME`), `file:///folder`, or
`s3://KEY:SECRET@host:port/bucket/prefix?region=...&tls=...`. What goes out: where that is.
Guaranteed: what is wrong is named without repeating the address, which may hold a secret; no
secret is in the text of what goes out.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from infants.depot.errors import BadAddressError

BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
PARAMETERS = {"region", "tls", "addressing"}
YES_NO = ("true", "false")
ADDRESSING = ("path", "virtual", "auto")
USUAL_REGION = "us-east-1"
"""What stores that have no regions expect in signatures."""


@dataclass(frozen=True)
class FolderAddress:
    """A folder of this machine."""

    folder: Path


@dataclass(frozen=True)
class BucketAddress:
    """A bucket of an object store; without an endpoint it is Amazon's own."""

    bucket: str
    prefix: str
    endpoint: str | None
    region: str | None
    addressing: str
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)


Address = FolderAddress | BucketAddress


def read_address(url: str, home: Path) -> Address:
    """Return where the depot is; `home` is the folder that no address at all means.

    Raises
    ------
    BadAddressError
        When the address makes no sense.

    """
    if not url:
        return FolderAddress(home)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadAddressError("its host or port cannot be read") from error
    if parts.scheme == "file":
        return _folder(parts)
    if parts.scheme != "s3":
        raise BadAddressError("it begins neither with s3:// nor with file:///")
    return _bucket(parts, port)


def _folder(parts: SplitResult) -> FolderAddress:
    path = Path(unquote(parts.path))
    if parts.netloc or parts.query or not path.is_absolute() or path == Path("/"):
        raise BadAddressError("a folder is written as file:///with/its/whole/path")
    return FolderAddress(path)


def _bucket(parts: SplitResult, port: int | None) -> BucketAddress:
    bucket, _, prefix = unquote(parts.path).strip("/").partition("/")
    if not BUCKET.fullmatch(bucket):
        raise BadAddressError("no bucket is named in its path")
    if bool(parts.username) != bool(parts.password):
        raise BadAddressError("of key and secret it holds only one")
    asked = _parameters(parts.query)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    host = host if port is None else f"{host}:{port}"
    scheme = "https" if asked["tls"] == "true" else "http"
    return BucketAddress(
        bucket=bucket,
        prefix=prefix,
        endpoint=f"{scheme}://{host}" if host else None,
        region=asked["region"] or (USUAL_REGION if host else None),
        addressing=asked["addressing"] or ("path" if host else "auto"),
        access_key=unquote(parts.username) if parts.username else None,
        secret_key=unquote(parts.password) if parts.password else None,
    )


def _parameters(query: str) -> dict[str, str]:
    """Return what follows the question mark, with what is meant where nothing does."""
    given = dict(parse_qsl(query, keep_blank_values=True))
    if set(given) - PARAMETERS:
        raise BadAddressError(f"after the question mark only {_listed(PARAMETERS)} may stand")
    asked = {"region": "", "tls": "true", "addressing": ""} | given
    if asked["tls"] not in YES_NO:
        raise BadAddressError("tls is true or false")
    if asked["addressing"] not in ("", *ADDRESSING):
        raise BadAddressError(f"addressing is one of {', '.join(ADDRESSING)}")
    return asked


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
