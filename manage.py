#!/usr/bin/env python
"""Django's command line for ICLAS."""

import os
import sys


def main() -> None:
    """Run one management command; end on what is known to go wrong with a line on what to do."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iclas.settings")
    try:
        from django.core.management import execute_from_command_line

        from iclas.edges import FORESEEN, explained
    except ModuleNotFoundError as error:  # half a set-up, or another Python than the set-up's
        sys.exit(f"{error.name} is not installed: run make setup, then .venv/bin/python manage.py.")

    try:
        execute_from_command_line(sys.argv)
    except FORESEEN as error:
        line = explained(error)
        if line is None:
            raise
        sys.exit(line)


if __name__ == "__main__":
    main()
