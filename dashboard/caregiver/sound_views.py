"""A recording's sound: as it came in, as WAV, as an outline and as a picture.

Guaranteed: only who may listen gets any of it; for everybody else, and for what is gone, the
answer is that of something that does not exist, and what is not what was uploaded is never sent.
Nothing is kept between the browser and here, and a
browser that keeps it asks each time whether it still may: the tag is the checksum of the upload.
"""

from collections.abc import Callable
from http import HTTPStatus
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from dashboard.caregiver.ranges import Part, part_asked
from dashboard.sound import WAV, media_type
from infants.access import Viewer
from infants.depot.errors import DepotAwayError, KeyGoneError
from infants.errors import AudioCorruptError, AudioMissingError
from infants.listening import audible_recording
from infants.models import Recording
from infants.storage import audio_part, read_audio
from pipelines.errors import DecodeError
from pipelines.picture import PICTURE_VERSION, outline, png, spectrogram
from pipelines.sound import Sound, decode, wav_bytes

DIGITS = 3
RETRY_S = 60
Make = Callable[[], HttpResponse]


@require_safe
@cache_control(private=True, no_cache=True)
@login_required
def audio(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Send the file as it came in, or the part of it that is asked for."""
    recording = _audible(request, recording_id)
    tag = quote_etag(recording.sha256)
    size = recording.byte_size
    part = _part(request, tag, size)

    def make() -> HttpResponse:
        start, length = part or Part(0, size)
        content = audio_part(recording, start, length) if length else b""
        return _partial(HttpResponse(content, media_type(recording)), part, size)

    return _tagged(request, tag, make)


@require_safe
@cache_control(private=True, no_cache=True)
@login_required
def wav(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Send a rendering that every browser can play, or a part of it."""
    recording = _audible(request, recording_id)
    tag = quote_etag(f"{recording.sha256}-wav")

    def make() -> HttpResponse:
        content = wav_bytes(_decoded(recording))
        part = _part(request, tag, len(content))
        start, length = part or Part(0, len(content))
        answer = HttpResponse(content[start : start + length], WAV)
        return _partial(answer, part, len(content))

    return _tagged(request, tag, make)


@require_safe
@cache_control(private=True, no_cache=True)
@login_required
def waveform(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Send the outline of the sound, so that its shape shows before the sound is there."""
    recording = _audible(request, recording_id)

    def make() -> HttpResponse:
        sound = _decoded(recording)
        peaks = [round(float(peak), DIGITS) for peak in outline(sound)]
        return JsonResponse({"duration_s": round(sound.duration_s, DIGITS), "peaks": peaks})

    return _tagged(request, quote_etag(f"{recording.sha256}-outline-{PICTURE_VERSION}"), make)


@require_safe
@cache_control(private=True, no_cache=True)
@login_required
def picture(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Send the spectrogram: grey, so that the stylesheet gives it the colours of the theme."""
    recording = _audible(request, recording_id)

    def make() -> HttpResponse:
        return HttpResponse(png(spectrogram(_decoded(recording))), "image/png")

    return _tagged(request, quote_etag(f"{recording.sha256}-mel-{PICTURE_VERSION}"), make)


# --- what they share -----------------------------------------------------------------------------


def _audible(request: HttpRequest, recording_id: UUID) -> Recording:
    recording = audible_recording(Viewer.of(request.user), recording_id)
    if recording is None:
        raise Http404
    return recording


def _decoded(recording: Recording) -> Sound:
    """Return the sound; what cannot be decoded has no rendering."""
    try:
        return decode(read_audio(recording))[0]
    except DecodeError as error:
        raise Http404 from error


def _tagged(request: HttpRequest, tag: str, make: Make) -> HttpResponse:
    """Answer that nothing changed where that is so; make the answer only where it is needed."""
    unchanged = get_conditional_response(request, etag=tag, response=HttpResponse())
    try:
        answer = (
            make() if unchanged is None or unchanged.status_code == HTTPStatus.OK else unchanged
        )
    except (AudioMissingError, AudioCorruptError) as error:
        raise Http404 from error
    except (DepotAwayError, KeyGoneError):
        return HttpResponse(status=503, headers={"Retry-After": str(RETRY_S)})
    answer.headers["ETag"] = tag
    return answer


def _part(request: HttpRequest, tag: str, size: int) -> Part | None:
    """Return the part that is asked for, unless it is of another version than the present one."""
    condition = request.headers.get("If-Range")
    if condition is not None and condition != tag:
        return None
    return part_asked(request.headers.get("Range", ""), size)


def _partial(answer: HttpResponse, part: Part | None, size: int) -> HttpResponse:
    answer.headers["Accept-Ranges"] = "bytes"
    answer.headers["Content-Disposition"] = "inline"
    if part is None:
        return answer
    answer.headers["Content-Range"] = part.told(size)
    is_some = part.length > 0
    answer.status_code = (
        HTTPStatus.PARTIAL_CONTENT if is_some else HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    )
    return answer
