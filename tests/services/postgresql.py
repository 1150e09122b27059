"""A private PostgreSQL server for one test run.

What comes in: Debian's PostgreSQL, installed by apt-get where it is missing and we are root. What
goes out: a `DATABASE_URL`. Guaranteed: the server listens on a socket in a temporary folder only,
so that two runs never meet; it runs unprivileged; it stops when the run ends, and also when the run
is killed (the kernel then sends it the signal that ends it).
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.services import debian

INSTALLED = Path("/usr/lib/postgresql")  # where Debian puts every version
START_LIMIT_S = 60.0
STOP_LIMIT_S = 30.0
SETTINGS = {  # nothing of this server has to survive a power cut
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
}


@dataclass(frozen=True)
class Unavailable:
    """No PostgreSQL to be had here, and why."""

    reason: str


class ServerError(RuntimeError):
    """The server is installed and did not come up; its own words follow."""


def programs() -> Path | None:
    """Return the folder of the newest installed version's programs."""
    found = [path.parent for path in INSTALLED.glob("*/bin/postgres")]
    return max(found, key=lambda folder: float(folder.parent.name), default=None)


def programs_or_install() -> Path | Unavailable:
    """Return the newest version's programs, installing Debian's where that is possible."""
    found = programs()
    if found is not None:
        return found
    failure = debian.install("postgresql")
    return programs() or Unavailable(f"PostgreSQL is not installed, and {failure}")


def _run(
    command: list[str], *, timeout_s: float, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=env,
        timeout=timeout_s,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def _server_account() -> pwd.struct_passwd | None:
    """Return the account to run as where we are root, which PostgreSQL refuses to be."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _as_server(account: pwd.struct_passwd | None) -> list[str]:
    """Return the words before a command that give up root and die with this process."""
    words = ["setpriv", "--pdeathsig", "INT"]  # INT: PostgreSQL's fast shutdown
    if account is not None:
        words += ["--reuid", str(account.pw_uid), "--regid", str(account.pw_gid)]
        words += ["--clear-groups"]
    return [*words, "--"]


@contextmanager
def running(bin_dir: Path) -> Iterator[str]:
    """Run a server for the length of the block; yield its `DATABASE_URL`."""
    folder = Path(tempfile.mkdtemp(prefix="iclas-pg-"))
    account = _server_account()
    try:
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        _make_cluster(bin_dir, folder, account)
        with _serving(bin_dir, folder, account):
            yield f"postgres://iclas@/{folder}/iclas"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make_cluster(bin_dir: Path, folder: Path, account: pwd.struct_passwd | None) -> None:
    words = ["--auth=trust", "--username=iclas", "--encoding=UTF8", "--locale=C", "--no-sync"]
    command = [str(bin_dir / "initdb"), "-D", str(folder / "data"), *words]
    done = _run([*_as_server(account), *command], timeout_s=START_LIMIT_S)
    if done.returncode != 0:
        raise ServerError(done.stdout)


@contextmanager
def _serving(bin_dir: Path, folder: Path, account: pwd.struct_passwd | None) -> Iterator[None]:
    settings = SETTINGS | {"unix_socket_directories": str(folder)}
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command = [str(bin_dir / "postgres"), "-D", str(folder / "data"), *words]
    log = folder / "log"
    with log.open("wb") as lines:
        server = subprocess.Popen(
            [*_as_server(account), *command],
            stdin=subprocess.DEVNULL,
            stdout=lines,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )
    try:
        _wait_until_ready(server, bin_dir, folder)
        yield
    finally:
        _stop(server)


def _wait_until_ready(server: subprocess.Popen[bytes], bin_dir: Path, folder: Path) -> None:
    ready = [str(bin_dir / "pg_isready"), "-q", "-h", str(folder)]
    until = time.monotonic() + START_LIMIT_S
    while server.poll() is None and time.monotonic() < until:
        if _run(ready, timeout_s=START_LIMIT_S).returncode == 0:
            return
        time.sleep(0.1)
    raise ServerError((folder / "log").read_text())


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Ask for a fast shutdown, then for an immediate one, then insist."""
    for signal_ in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        server.send_signal(signal_)
        try:
            server.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            continue
        return
