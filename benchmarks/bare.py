"""The ceiling for uploads: the bare framework answers the same request, and nothing is stored.

What comes in: a form with a recording. What goes out: 201. It is parsed by the same handler into
the same kind of temporary file as an upload is, and dropped.
"""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    FILE_UPLOAD_HANDLERS=["django.core.files.uploadhandler.TemporaryFileUploadHandler"],
    FILE_UPLOAD_MAX_MEMORY_SIZE=2**16,
    FILE_UPLOAD_TEMP_DIR=os.environ["ICLAS_HOME"],
    ROOT_URLCONF=__name__,
)


@csrf_exempt
def receive(request: HttpRequest) -> JsonResponse:
    """Read a form to its end, and say how long its recording was."""
    return JsonResponse({"byte_size": request.FILES["audio"].size}, status=201)


urlpatterns = [path("api/v1/recordings/", receive)]
application = get_asgi_application()
