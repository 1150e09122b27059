"""System checks: what is wrong with this installation's settings, in words.

`manage.py check` runs them, and so does every command that starts something.
"""

import ipaddress
import math
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from bridge.broker import BadBrokerError, broker_at
from iclas import database  # noqa: F401  imported for the check that it registers
from infants.depot.address import read_address
from infants.depot.errors import BadAddressError, BadKeyError
from infants.depot.keys import read_keys
from notify.network import allowed_networks
from pipelines.encoders.runtime import RUNTIMES

LEAST_BULK_ITEMS = 100
"""What the device contract promises."""
SIGN_UP_CHOICES = ("open", "invited", "closed")
VERIFICATION_CHOICES = ("none", "optional", "mandatory")
LOG_FORMATS = ("plain", "json")
LEAST_TOKEN = 16
Check = Callable[[], Iterator[CheckMessage]]


def _home() -> Iterator[CheckMessage]:
    home = settings.ICLAS_HOME
    for room in (home.root, home.storage, home.uploads):
        try:
            with tempfile.TemporaryFile(dir=room):
                continue
        except OSError as error:
            yield Error(
                f"ICLAS_HOME cannot be written to: {room}: {error.strerror}.",
                hint="Set ICLAS_HOME to a folder that the user who runs ICLAS owns.",
                id="iclas.E001",
            )


def _encoder() -> Iterator[CheckMessage]:
    spec = settings.ICLAS_ENCODER
    if spec == "bundled" or Path(spec).exists():
        return
    name, at, revision = spec.partition("@")
    if at and revision and name.count("/") == 1 and not name.startswith(("/", ".")):
        return  # a model hub's id: its answer comes when it is fetched
    yield Error(
        f"ICLAS_ENCODER is {spec!r}, and there is no such file or folder.",
        hint="It is 'bundled', a path, or a hub id with its revision: owner/name@revision.",
        id="iclas.E002",
    )


def _runtime() -> Iterator[CheckMessage]:
    runtime = settings.ICLAS_ENCODER_RUNTIME
    if runtime not in RUNTIMES:
        yield Error(
            f"ICLAS_ENCODER_RUNTIME is {runtime!r}, and there is no such runtime.",
            hint=f"Take one of {', '.join(RUNTIMES)}.",
            id="iclas.E009",
        )


def _gate() -> Iterator[CheckMessage]:
    threshold = settings.ICLAS_GATE_THRESHOLD
    if math.isnan(threshold) or threshold > 1:
        yield Error(
            f"ICLAS_GATE_THRESHOLD is {threshold}, and a confidence never exceeds 1.",
            hint="Take a number from 0 to 1; below 0 means the gate's own.",
            id="iclas.E003",
        )


def _sessions() -> Iterator[CheckMessage]:
    gap_s = settings.ICLAS_SESSION_GAP_S
    if not 0 < gap_s < math.inf:
        yield Error(
            f"ICLAS_SESSION_GAP_S is {gap_s}: without quiet between them there are no sessions.",
            hint="Take a number of seconds above 0; 1800 is half an hour.",
            id="iclas.E004",
        )


def _leases() -> Iterator[CheckMessage]:
    lease_s, task_s = settings.ICLAS_LEASE_S, settings.CELERY_TASK_TIME_LIMIT
    if lease_s <= task_s:
        yield Error(
            f"ICLAS_LEASE_S is {lease_s} s, but a task may run {task_s} s: "
            "two workers could work on the same recording.",
            hint=f"Take more than {task_s}.",
            id="iclas.E005",
        )
    if settings.ICLAS_MAX_ATTEMPTS < 1:
        yield Error(
            f"ICLAS_MAX_ATTEMPTS is {settings.ICLAS_MAX_ATTEMPTS}: nothing would ever be tried.",
            hint="Take 1 or more.",
            id="iclas.E006",
        )


def _uploads() -> Iterator[CheckMessage]:
    if settings.ICLAS_MAX_UPLOAD_BYTES < 1:
        yield Error(
            f"ICLAS_MAX_UPLOAD_BYTES is {settings.ICLAS_MAX_UPLOAD_BYTES}: "
            "devices would be told to discard every recording.",
            hint="26214400 is 25 MiB.",
            id="iclas.E007",
        )
    if settings.ICLAS_MAX_BULK_ITEMS < LEAST_BULK_ITEMS:
        yield Error(
            f"ICLAS_MAX_BULK_ITEMS is {settings.ICLAS_MAX_BULK_ITEMS}, "
            f"but devices are promised at least {LEAST_BULK_ITEMS}.",
            hint=f"Take {LEAST_BULK_ITEMS} or more.",
            id="iclas.E008",
        )

    if settings.ICLAS_MAX_BACKLOG < 0:
        yield Error(
            f"ICLAS_MAX_BACKLOG is {settings.ICLAS_MAX_BACKLOG}: no number of recordings.",
            hint="Take 0 for no limit, or for example 10000.",
            id="iclas.E015",
        )
    if settings.ICLAS_REQUESTS_AT_ONCE < 1:
        yield Error(
            f"ICLAS_REQUESTS_AT_ONCE is {settings.ICLAS_REQUESTS_AT_ONCE}: "
            "nobody would ever be answered.",
            hint="Take 1 or more, for example 8.",
            id="iclas.E019",
        )


def _sign_up() -> Iterator[CheckMessage]:
    if settings.SIGN_UP not in SIGN_UP_CHOICES:
        yield Error(
            f"SIGN_UP is {settings.SIGN_UP!r}: nobody can tell who may sign up.",
            hint=f"Take one of {', '.join(SIGN_UP_CHOICES)}.",
            id="iclas.E010",
        )


def _verification() -> Iterator[CheckMessage]:
    if settings.ACCOUNT_EMAIL_VERIFICATION not in VERIFICATION_CHOICES:
        yield Error(
            f"ACCOUNT_EMAIL_VERIFICATION is {settings.ACCOUNT_EMAIL_VERIFICATION!r}.",
            hint=f"Take one of {', '.join(VERIFICATION_CHOICES)}.",
            id="iclas.E011",
        )


def _telling() -> Iterator[CheckMessage]:
    try:
        allowed_networks()
    except ValueError as error:
        yield Error(
            f"ICLAS_NOTIFY_NETWORKS holds what is no network: {error}.",
            hint="Write networks as 192.168.1.0/24, with commas between them.",
            id="iclas.E012",
        )
    if not settings.ICLAS_ADDRESS.startswith(("https://", "http://")):
        yield Error(
            f"ICLAS_ADDRESS is {settings.ICLAS_ADDRESS!r}: links in messages would lead nowhere.",
            hint="It is the address under which people reach the pages, with https://.",
            id="iclas.E013",
        )
    if settings.ICLAS_NOTIFY_GIVE_UP_S < 1:
        yield Error(
            f"ICLAS_NOTIFY_GIVE_UP_S is {settings.ICLAS_NOTIFY_GIVE_UP_S}: "
            "whatever does not arrive at once would be given up.",
            hint="86400 is a day.",
            id="iclas.E014",
        )


def _broker() -> Iterator[CheckMessage]:
    try:
        broker_at(settings.ICLAS_MQTT_URL)
    except BadBrokerError as error:
        yield Error(
            f"ICLAS_MQTT_URL makes no sense: {error}.",
            hint="Write it as mqtt://user:password@host:1883, or mqtts:// where it is encrypted.",
            id="iclas.E016",
        )
    for name in ("ICLAS_MQTT_DISCOVERY", "ICLAS_MQTT_TOPIC"):
        topic = getattr(settings, name)
        if not topic or set(topic) & set("+#\0 ") or topic.strip("/") != topic:
            yield Error(
                f"{name} is {topic!r}: no topics can begin so.",
                hint="Take letters, digits, and slashes between them.",
                id="iclas.E017",
            )
    ca_file = settings.ICLAS_MQTT_CA_FILE
    if ca_file and not Path(ca_file).is_file():
        yield Error(
            f"ICLAS_MQTT_CA_FILE is {ca_file!r}, and there is no such file.",
            hint="It holds the certificate of whoever signed the broker's, as PEM.",
            id="iclas.E018",
        )


def _storage() -> Iterator[CheckMessage]:
    given = settings.STORAGES["default"].get("OPTIONS", {})
    try:
        read_address(given.get("url", ""), settings.ICLAS_HOME.storage)
    except BadAddressError as error:
        yield Error(
            f"ICLAS_STORAGE_URL makes no sense: {error}.",
            hint="Write it as s3://KEY:SECRET@host:port/bucket; leave it empty for ICLAS_HOME.",
            id="iclas.E020",
        )
    try:
        read_keys(given.get("keys", ""))
    except BadKeyError as error:
        yield Error(
            f"ICLAS_STORAGE_KEYS makes no sense: {error}.",
            hint="Keys come from manage.py rotate_storage_key --draw, with commas between them.",
            id="iclas.E021",
        )


def _debug() -> Iterator[CheckMessage]:
    public = [host for host in settings.ALLOWED_HOSTS if not _is_local(host)]
    if settings.DEBUG and public:
        yield Warning(
            f"DEBUG is on while ICLAS answers to {', '.join(public)}: "
            "every error would show settings and code to whoever causes it.",
            hint="Unset DEBUG, or take these out of ALLOWED_HOSTS.",
            id="iclas.W001",
        )


def _telemetry() -> Iterator[CheckMessage]:
    if settings.LOG_FORMAT not in LOG_FORMATS:
        yield Error(
            f"LOG_FORMAT is {settings.LOG_FORMAT!r}, and there is no such format.",
            hint=f"Take one of {', '.join(LOG_FORMATS)}.",
            id="iclas.E022",
        )
    if settings.ICLAS_METRICS_TOKEN and len(settings.ICLAS_METRICS_TOKEN) < LEAST_TOKEN:
        yield Error(
            "ICLAS_METRICS_TOKEN can be guessed.",
            hint=f"Take {LEAST_TOKEN} characters or more, drawn by chance.",
            id="iclas.E023",
        )
    if not (settings.ICLAS_TRACES_ENDPOINT or "http://").startswith(("http://", "https://")):
        yield Error(
            "OTEL_EXPORTER_OTLP_ENDPOINT is no address of HTTP.",
            hint="Write it as http://collector:4318.",
            id="iclas.E024",
        )


def _is_local(host: str) -> bool:
    bare = host.strip("[]")
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return bare in ("localhost", "testserver") or bare.endswith(".localhost")


CHECKS: tuple[Check, ...] = (
    *(_home, _encoder, _runtime, _gate, _sessions, _leases, _uploads),
    *(_sign_up, _verification, _telling, _broker, _storage, _telemetry, _debug),
)


@register("iclas")
def check_settings(app_configs: object = None, **_given: Any) -> list[CheckMessage]:
    """Return everything that is wrong, in words."""
    del app_configs
    return [message for check in CHECKS for message in check()]
