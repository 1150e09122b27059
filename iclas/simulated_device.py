"""A simulated monitor: uploads recordings as the device contract has it, and keeps them till then.

What comes in: a server's address, a token and recordings. What goes out: requests. Guaranteed: it
takes nothing for stored that was not answered with 201 or 200, tries again whatever may be tried
again, and the same recording always has the same idempotency key.
"""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import requests

from pipelines.cohort import PlannedRecording, render

TIMEOUT_S = 60.0
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 10.0
STORED = {200, 201}
NEVER_AGAIN = {413, 415, 422}


class RefusedError(Exception):
    """The server will never take it, or does not know the device."""


@dataclass(frozen=True)
class SimulatedDevice:
    """A monitor with its own credential."""

    url: str
    token: str

    def upload(self, planned: Sequence[PlannedRecording]) -> None:
        """Upload recordings in one request, as often as it takes; return when all are stored.

        Raises
        ------
        RefusedError
            When a recording will never be accepted, or the token is not.

        """
        waiting = [(one, render(one)[0]) for one in planned]
        wait_s = FIRST_WAIT_S
        while waiting:
            waiting = self._try(waiting)
            if waiting:
                time.sleep(wait_s)
                wait_s = min(2.0 * wait_s, LONGEST_WAIT_S)

    def _try(
        self, waiting: Sequence[tuple[PlannedRecording, bytes]]
    ) -> list[tuple[PlannedRecording, bytes]]:
        """Return what was not stored yet."""
        try:
            answer = requests.post(
                f"{self.url}/api/v1/recordings/bulk/",
                headers={"Authorization": f"Bearer {self.token}"},
                files=[("audio", (one.file_name, content)) for one, content in waiting],
                data={"items": json.dumps([_item(one) for one, _ in waiting])},
                timeout=TIMEOUT_S,
            )
        except (requests.ConnectionError, requests.Timeout):
            return list(waiting)
        _refuse([answer.status_code], answer.text)
        if answer.status_code not in STORED:
            return list(waiting)
        statuses = [result["status"] for result in answer.json()["results"]]
        _refuse(statuses, answer.text)
        said = zip(waiting, statuses, strict=True)
        return [kept for kept, status in said if status not in STORED]


def _item(one: PlannedRecording) -> dict[str, str]:
    return {"recorded_at": one.recorded_at.isoformat(), "idempotency_key": one.file_name}


def _refuse(statuses: Iterable[int], said: str) -> None:
    if NEVER_AGAIN.union({400, 401, 403}).intersection(statuses):
        raise RefusedError(said[:500])
