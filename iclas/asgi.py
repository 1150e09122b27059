"""The ASGI application that the web process serves."""

import os
import tempfile

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iclas.settings")

application = get_asgi_application()


def _spool_at_home() -> None:
    """Let bodies on their way in lie on the disk of the home folder: /tmp may be memory."""
    from django.conf import settings

    tempfile.tempdir = str(settings.ICLAS_HOME.uploads)


_spool_at_home()
