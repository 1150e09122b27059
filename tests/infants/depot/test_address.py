"""The depot's address: what it means, what is wrong with it, and no secret in any of it."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from infants.depot.address import BucketAddress, FolderAddress, read_address
from infants.depot.errors import BadAddressError
from infants.depot.opening import depot_at

pytestmark = pytest.mark.embedded

HOME = Path("/srv/iclas")


def test_nothing_means_the_home_and_a_folder_is_named_whole() -> None:
    assert read_address("", HOME) == FolderAddress(HOME)
    assert read_address("file:///srv/a%20folder", HOME) == FolderAddress(Path("/srv/a folder"))


def test_a_bucket_is_named_with_what_leads_to_it() -> None:
    url = "s3://key:se%2Fcret@store.local:9000/cries/home?region=eu-1&tls=false"
    found = read_address(url, HOME)
    assert found == BucketAddress(
        "cries", "home", "http://store.local:9000", "eu-1", "path", "key", "se/cret"
    )
    assert "cret" not in repr(found)


def test_amazons_own_needs_no_endpoint_and_credentials_may_come_from_elsewhere() -> None:
    found = read_address("s3:///cries", HOME)
    assert found == BucketAddress("cries", "", None, None, "auto")
    assert read_address("s3://[::1]:9000/cries", HOME) == BucketAddress(
        "cries", "", "https://[::1]:9000", "us-east-1", "path"
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://key:hidden@host/bucket",
        "key:hidden@host/bucket",
        "s3://key:hidden@host",
        "s3://key:hidden@host/?tls=true",
        "s3://key:hidden@host:port/bucket",
        "s3://key:hidden@host:99999/bucket",
        "s3://hidden@host/bucket",
        "s3://key:hidden@host/bucket?zone=eu",
        "s3://key:hidden@host/bucket?tls=maybe",
        "s3://key:hidden@host/bucket?addressing=none",
        "s3://key:hidden@host/no bucket",
        "s3://key:hidden@[host/bucket",
        "file://hidden/folder",
        "file:///",
    ],
)
def test_what_makes_no_sense_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(BadAddressError) as refused:
        read_address(url, HOME)
    assert str(refused.value)
    assert "hidden" not in str(refused.value)
    with pytest.raises(ImproperlyConfigured, match="ICLAS_STORAGE_URL") as wrong:
        depot_at(url, "", HOME)
    assert "hidden" not in str(wrong.value)
