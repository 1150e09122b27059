"""Write `requirements-web.txt`: what the web process, the scheduler and the bridge need.

In: `requirements.txt`, with every version, and what each installed package says that it needs. Out:
the part of it that is left when only what those three processes import is taken, and what that
needs in turn. Workers hear and judge, and need the whole.

Begun in the environment that `make setup-dev` made: `.venv/bin/python docker/requirements_web.py`
"""

import re
import sys
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HERE = Path(__file__).resolve().parent
WHOLE = HERE.parent / "requirements.txt"
PART = HERE / "requirements-web.txt"
HEAD = """\
# What the web process, the scheduler and the bridge need, exactly: no torch, and nothing else that
# only workers use. Written by docker/requirements_web.py from requirements.txt.
"""
IMPORTED = (
    *("asgiref", "av", "celery", "cryptography", "Django", "django-allauth", "django-environ"),
    *("djangorestframework", "drf-spectacular", "http_ece", "icalendar", "kombu", "numpy"),
    *("paho-mqtt", "py-vapid", "requests", "safetensors", "scipy", "segno", "soxr"),
    *("threadpoolctl", "typing_extensions", "uuid6"),
)
WHEN_ASKED = (
    *("botocore", "django-storages", "urllib3"),  # ICLAS_STORAGE_URL
    *("opentelemetry-api", "opentelemetry-sdk"),  # OTEL_EXPORTER_OTLP_ENDPOINT
    *("opentelemetry-exporter-otlp-proto-http", "prometheus_client"),  # ICLAS_METRICS_TOKEN
    "python-json-logger",  # LOG_FORMAT
    "apprise",  # whether a messaging service's address makes sense
    "fpdf2",  # a report as PDF
    "pyarrow",  # data taken away as Parquet and Arrow
    "rich",  # `manage.py flow`
)
NAMED = (
    "psycopg",  # by DATABASE_URL
    "uharfbuzz",  # by fpdf2, where a report is in Hindi or Arabic
    "uvicorn",  # by the command
    "whitenoise",  # by the settings
)


def main() -> int:
    """Write the file."""
    PART.write_text(web_requirements())
    return 0


def web_requirements() -> str:
    """Return what the file shall say."""
    pinned = pins()
    asked = closure([canonicalize_name(name) for name in (*IMPORTED, *WHEN_ASKED, *NAMED)], pinned)
    return HEAD + "".join(f"{pinned[name]}\n" for name in sorted(asked))


def pins() -> dict[str, str]:
    """Return the lines of `requirements.txt`, by what they pin."""
    lines = re.findall(r"^[\w.-]+(?:\[\w+\])?==\S+$", WHOLE.read_text(), flags=re.M)
    return {canonicalize_name(Requirement(line).name): line for line in lines}


def closure(roots: list[str], pinned: dict[str, str]) -> set[str]:
    """Return packages with everything that they need, with the extras that are pinned."""
    found: set[str] = set()
    waiting = [(name, frozenset(Requirement(pinned[name]).extras)) for name in roots]
    seen = set()
    while waiting:
        name, extras = one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        found.add(name)
        waiting += needed_by(name, extras)
    return found


def needed_by(name: str, extras: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    """Return what a package needs here with these extras, each with the extras that it asks for."""
    asked = [Requirement(line) for line in requires(name) or []]
    environments = [{"extra": extra} for extra in (extras or {""})]
    return [
        (canonicalize_name(one.name), frozenset(one.extras))
        for one in asked
        if one.marker is None or any(one.marker.evaluate(given) for given in environments)
    ]


if __name__ == "__main__":
    sys.exit(main())
