"""Opening the depot that the settings name.

The object store's SDK is loaded only where there is an object store.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured

from infants.depot.address import Address, FolderAddress, read_address
from infants.depot.disk import FolderDepot
from infants.depot.errors import BadAddressError, BadKeyError
from infants.depot.keys import Keyring, read_keys

if TYPE_CHECKING:
    from infants.depot.objects import ObjectDepot


def depot_at(url: str, keys: str, home: Path) -> "FolderDepot | ObjectDepot":
    """Return the storage at an address, or raise `ImproperlyConfigured` without any secret."""
    try:
        address, keyring = read_address(url, home), read_keys(keys)
    except BadAddressError as error:
        message = f"ICLAS_STORAGE_URL makes no sense: {error}."
        raise ImproperlyConfigured(message) from error
    except BadKeyError as error:
        message = f"ICLAS_STORAGE_KEYS makes no sense: {error}."
        raise ImproperlyConfigured(message) from error
    return depot_of(address, keyring)


def depot_of(address: Address, keyring: Keyring) -> "FolderDepot | ObjectDepot":
    """Return the storage at an address."""
    if isinstance(address, FolderAddress):
        return FolderDepot(keyring=keyring, location=address.folder)
    from infants.depot.objects import ObjectDepot, bucket_options

    return ObjectDepot(keyring=keyring, **bucket_options(address))
