"""What the environment holds for the settings: read, or named where it makes no sense."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from iclas.environment import Environment


@pytest.fixture
def env() -> Environment:
    return Environment()


def test_what_is_set_is_read_and_the_rest_has_its_default(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEASE_S", "5")
    monkeypatch.setenv("DATABASE", "postgres://ada:secret@db:5432/iclas")
    assert env.int("LEASE_S", default=3) == 5
    assert env.float("GAP_S", default=1.5) == 1.5
    assert env.list("HOSTS", default=["localhost"]) == ["localhost"]
    assert env.db_url("DATABASE")["HOST"] == "db"


@pytest.mark.parametrize("value", ["abc", "", "five"])
@pytest.mark.parametrize("kind", ["int", "float"])
def test_what_is_no_number_is_named(
    env: Environment, monkeypatch: pytest.MonkeyPatch, kind: str, value: str
) -> None:
    monkeypatch.setenv("LEASE_S", value)
    with pytest.raises(ImproperlyConfigured, match="LEASE_S makes no sense"):
        getattr(env, kind)("LEASE_S", default=3)


@pytest.mark.parametrize("value", ["nonsense", "secret@nowhere"])
def test_an_address_of_no_database_is_named_but_not_told(
    env: Environment, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", value)
    with pytest.raises(ImproperlyConfigured) as refused:
        env.db_url("DATABASE_URL", default="sqlite:///x")
    assert "DATABASE_URL makes no sense" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_mail_server_is_read(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "smtp+tls://ada:secret@mail.example.org:587")
    found = env.email_url("EMAIL_URL")
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"]) == ("mail.example.org", 587)
    assert found["EMAIL_USE_TLS"] is True


@pytest.mark.parametrize("value", ["nonsense", "smtp://ada:secret@host:port"])
def test_an_address_of_no_mail_server_is_named_but_not_told(
    env: Environment, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("EMAIL_URL", value)
    with pytest.raises(ImproperlyConfigured) as refused:
        env.email_url("EMAIL_URL")
    assert "EMAIL_URL makes no sense" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_what_holds_secrets_is_read_and_never_shown(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE", "s3://ada:secret@host/bucket")
    found = env.concealed("STORE", default="")
    assert found == "s3://ada:secret@host/bucket"
    assert repr({"url": found}) == "{'url': '(concealed)'}"
    assert repr(env.concealed("NOTHING", default="")) == "''"
