"""A private MQTT broker for one test run.

What comes in: Debian's Mosquitto, installed by apt-get where it is missing and we are root. What
goes out: a broker on a free port of the loopback, with a password. Guaranteed: it keeps nothing
when it is restarted; it stops when the block ends, and also when the run is killed (the kernel then
sends it the signal that ends it).
"""

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.services import debian

PROGRAM = Path("/usr/sbin/mosquitto")
PASSWORDS = Path("/usr/bin/mosquitto_passwd")
USER, PASSWORD = "home", "se:cret/word"
LIMIT_S = 10.0


def installed() -> str:
    """Install it where it is missing; return why it is not there, and nothing where it is."""
    if PROGRAM.exists():
        return ""
    failure = debian.install("mosquitto")
    return "" if PROGRAM.exists() else f"Mosquitto is not installed, and {failure}"


@dataclass
class Server:
    """A broker that can be stopped and started again on its port."""

    folder: Path
    port: int
    certificate: tuple[Path, Path] | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Its address, as `ICLAS_MQTT_URL` has it."""
        scheme = "mqtt" if self.certificate is None else "mqtts"
        return f"{scheme}://{USER}:se%3Acret%2Fword@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        configuration = self.folder / "mosquitto.conf"
        configuration.write_text("\n".join([*self._settings(), ""]))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*("setpriv", "--pdeathsig", "TERM"), str(PROGRAM), "-c", str(configuration)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until = time.monotonic() + LIMIT_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(0.01)

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(LIMIT_S)
            self.process = None

    def _settings(self) -> Iterator[str]:
        yield f"listener {self.port} 127.0.0.1"
        yield "allow_anonymous false"
        yield f"password_file {self.folder / 'passwords'}"
        yield "persistence false"
        yield "user root"  # it reads what only we can read
        if self.certificate is not None:
            yield f"certfile {self.certificate[0]}"
            yield f"keyfile {self.certificate[1]}"

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), LIMIT_S):
                return True
        except OSError:
            return False


@contextmanager
def running(certificate: tuple[Path, Path] | None = None) -> Iterator[Server]:
    """Run a broker for the length of the block."""
    with tempfile.TemporaryDirectory(prefix="iclas-mqtt-") as name, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = Server(Path(name), probe.getsockname()[1], certificate)
        probe.close()
        passwords = server.folder / "passwords"
        made = [str(PASSWORDS), "-b", "-c", str(passwords), USER, PASSWORD]
        subprocess.run(made, check=True, stdin=subprocess.DEVNULL, capture_output=True)
        server.start()
        try:
            yield server
        finally:
            server.stop()
