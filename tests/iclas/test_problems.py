"""The one table from errors to problem documents."""

import errno
import inspect
import logging
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.http import Http404, UnreadablePostError
from django.test import Client, RequestFactory
from rest_framework.exceptions import ErrorDetail, Throttled, ValidationError

import anomaly.errors
import devices.errors
import infants.errors
import notify.errors
from iclas import problems
from tests.builders import a_user, as_user
from tests.uploads import assert_problem

FAMILIES = (anomaly.errors, devices.errors, infants.errors, notify.errors)


def _kinds() -> list[type[Exception]]:
    return [
        kind
        for family in FAMILIES
        for _, kind in inspect.getmembers(family, inspect.isclass)
        if issubclass(kind, Exception) and kind.__module__ == family.__name__
    ]


@pytest.mark.parametrize("kind", _kinds())
def test_every_error_of_every_family_has_a_row(kind: type[Exception]) -> None:
    row = next((base for base in kind.__mro__ if base in problems.TABLE), None)
    assert row is not None
    assert row.__module__ == kind.__module__


def test_codes_are_one_of_a_kind() -> None:
    codes = [kind.__dict__.get("code") for kind in _kinds()]
    assert None not in codes
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("status", range(400, 600))
def test_what_to_do_follows_from_the_status_as_the_contract_says(status: int) -> None:
    never, after_pairing = (413, 415, 422), (401, 403)
    expected = "never" if status in never else "later"
    assert problems.retry_of(status) == ("after_pairing" if status in after_pairing else expected)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404("secret"), 404, "not_found"),
        (PermissionDenied("secret"), 403, "permission_denied"),
        (SuspiciousOperation("secret"), 400, "bad_request"),
        (RequestDataTooBig("secret"), 400, "too_much_text"),
        (UnreadablePostError("secret"), 400, "broken_off"),
        (OSError(errno.EIO, "secret"), 503, "storage_unavailable"),
        (OSError(errno.ENOSPC, "secret"), 503, "storage_full"),
        (UnreadablePostError(errno.EDQUOT, "secret"), 503, "storage_full"),
        (OperationalError("database or disk is full: secret"), 503, "storage_full"),
        (ProgrammingError("no such table: secret"), 503, "database_unavailable"),
        (OperationalError("secret"), 503, "database_unavailable"),
        (InterfaceError("secret"), 503, "database_unavailable"),
    ],
)
def test_errors_of_the_framework_and_of_the_machine(
    error: Exception, status: int, code: str
) -> None:
    problem = problems.problem_of(error)
    assert problem is not None
    assert (problem.status, problem.code) == (status, code)
    assert "secret" not in str(problem.document())
    assert ("Retry-After" in problem.all_headers()) == (status == 503)


def test_a_fault_of_ours_is_left_to_django() -> None:
    assert problems.problem_of(ValueError("oops")) is None
    assert problems.problem_response(ValueError("oops"), {}) is None


def test_being_throttled_says_when_to_come_again() -> None:
    problem = problems.problem_of(Throttled(wait=6.2))
    assert problem is not None
    assert (problem.status, problem.document()["retry_after_s"]) == (429, 7)
    assert problem.all_headers()["Retry-After"] == "7"
    unknown = problems.problem_of(Throttled())
    assert unknown is not None
    assert "Retry-After" not in unknown.all_headers()


def test_complaints_are_flat_and_name_their_fields() -> None:
    nested = {
        "from": [ErrorDetail("is odd", "odd")],
        "items": [{"at": ["one", "two"]}],
        "non_field_errors": ["three"],
    }
    problem = problems.problem_of(ValidationError(nested))
    assert problem is not None
    said = [(e["field"], e["detail"]) for e in problem.document()["errors"]]
    assert said == [
        ("from", "is odd"),
        ("items.at", "one"),
        ("items.at", "two"),
        ("non_field_errors", "three"),
    ]
    plain = problems.problem_of(ValidationError("whole"))
    assert plain is not None
    assert plain.errors[0]["field"] == "non_field"


def test_logs_name_no_path(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        problems.problem_response(OSError(errno.EACCES, "denied", "/audio/ab/secret"), {})
    assert "storage_unavailable: PermissionError 13" in caplog.text
    assert "secret" not in caplog.text


# --- what Django itself answers ------------------------------------------------------------------


def test_a_wrong_host_is_a_problem_under_the_api_and_a_page_elsewhere() -> None:
    client = Client(headers={"Host": "evil.example"})
    assert_problem(client.get("/api/v1/health/"), 400, "bad_request", "later")
    assert client.get("/admin/")["Content-Type"].startswith("text/html")


def test_a_path_that_is_not_there(settings: Any) -> None:
    for debug in (False, True):
        settings.DEBUG = debug
        for path in ("/api/", "/api/v1/", "/api/v1/nothing/", "/api/v1/infants"):
            assert_problem(Client().get(path), 404, "not_found", "later")
    settings.DEBUG = False
    assert Client().get("/nothing/")["Content-Type"].startswith("text/html")


@pytest.mark.django_db
def test_a_fault_of_ours_is_a_problem_that_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("infants.api.views.visible_infants", broken)
    client = as_user(a_user())
    client.raise_request_exception = False
    answer = client.get("/api/v1/infants/")
    assert_problem(answer, 500, "server_error", "later")
    assert b"secret" not in answer.content


@pytest.mark.django_db
def test_a_form_without_csrf_token_is_a_problem() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(a_user())
    answer = client.post("/api/v1/recordings/", {"session": "x"})
    assert_problem(answer, 403, "permission_denied", "after_pairing")


def test_the_handlers_answer_in_kind() -> None:
    api, page = RequestFactory().get("/api/x"), RequestFactory().get("/x")
    assert_problem(problems.server_error(api), 500, "server_error", "later")
    assert_problem(problems.not_found(api, Http404()), 404, "not_found", "later")
    denied = problems.permission_denied(api, PermissionDenied())
    assert_problem(denied, 403, "permission_denied", "after_pairing")
    for answer in (
        problems.server_error(page),
        problems.not_found(page, Http404()),
        problems.permission_denied(page, PermissionDenied()),
    ):
        assert answer["Content-Type"].startswith("text/html")
