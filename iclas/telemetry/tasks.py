"""Tasks whose beginning and end are seen by whoever watches.

Celery asks for this class before Django is set up: what needs rows is imported when a task runs.
"""

from celery import Task


class WatchedTask(Task):  # type: ignore[misc]  # Celery is published without types
    """A task that is work."""

    def __call__(self, *given: object, **named: object) -> object:
        """Run it."""
        from iclas.telemetry.work import Work, at

        with at(Work("task", self.name.rpartition(".")[2])):
            return self.run(*given, **named)
