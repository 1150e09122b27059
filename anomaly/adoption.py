"""Adoption: an encoder that was tried becomes the one that baselines are learnt under.

What comes in: an encoder. What goes out: the baselines' recordings embedded by it, so that an
infant's next version is learnt at its next cry and not from nothing; or who has not been tried.
Guaranteed: nothing is touched before every infant with judged sessions was tried with this encoder
and this build; an infant's baseline changes whole or not at all; done again, it does what is left;
no judgement that was made is altered, but those of recordings that were embedded anew can no longer
be recomputed, and `anomaly.provenance` says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from anomaly.models import VersionTrial
from anomaly.rehearing import Embedded, Told, Unheard, embed_again, nobody
from anomaly.selectors.baseline import baseline_days
from infants.arrays import to_bytes
from infants.locks import infant_locked
from infants.models import Cry, Infant, Recording
from pipelines.build import build
from pipelines.embed import Encoder


@dataclass(frozen=True)
class Refusal:
    """Whose history the encoder has not been tried on by this build."""

    untried: tuple[Infant, ...]


@dataclass(frozen=True)
class Adopted:
    """One infant's baseline under the new encoder.

    `embedded` recordings were embedded anew, `already` had been; `unheard` keep what they have and
    are no part of the next versions. `days` are what the baseline now has under the new encoder.
    """

    infant: Infant
    embedded: int
    already: int
    unheard: tuple[Unheard, ...]
    days: int


def adopt(encoder: Encoder, told: Told = nobody) -> list[Adopted] | Refusal:
    """Embed all baselines anew, or say who was not tried; commits infant by infant, idempotent.

    `told` hears how many of the `n_to_embed` recordings have been dealt with. Let no worker learn
    meanwhile: it would read half of a baseline under one encoder and half under another.
    """
    lacking = lacking_trial(encoder.fingerprint)
    if lacking:
        return Refusal(tuple(lacking))
    adopted = [_adopt_one(infant, encoder, told) for infant in _with_baseline()]
    trials = VersionTrial.objects.filter(encoder=encoder.fingerprint, build=build())
    trials.filter(adopted_at=None).update(adopted_at=timezone.now())
    return adopted


def lacking_trial(fingerprint: str) -> list[Infant]:
    """Return the infants with judged sessions that this build has not tried the encoder on."""
    tried = VersionTrial.objects.filter(encoder=fingerprint, build=build()).values("infant")
    judged = Infant.objects.filter(session_judgements__isnull=False).distinct()
    return list(judged.exclude(id__in=tried))


def n_to_embed(fingerprint: str) -> int:
    """Return how many recordings of all baselines have no embeddings of this encoder."""
    return sum(_other(infant, fingerprint).count() for infant in _with_baseline())


def _with_baseline() -> QuerySet[Infant]:
    return Infant.objects.filter(baseline__withdrawn_at=None, baseline__isnull=False).distinct()


def _admitted(infant: Infant) -> QuerySet[Recording]:
    entries = infant.baseline.filter(withdrawn_at=None)
    return Recording.objects.filter(id__in=entries.values("recording")).order_by("recorded_at")


def _other(infant: Infant, fingerprint: str) -> QuerySet[Recording]:
    """Return the baseline's recordings with a cry that another encoder has embedded."""
    cries = Cry.objects.filter(recording__infant=infant).exclude(encoder=fingerprint)
    return _admitted(infant).filter(id__in=cries.values("recording"))


def _adopt_one(infant: Infant, encoder: Encoder, told: Told) -> Adopted:
    """Embed in batches, which takes long, and then write all at once under the infant's lock."""
    fingerprint = encoder.fingerprint
    recordings = list(_other(infant, fingerprint).prefetch_related("cries").defer("gate_features"))
    embedded, unheard = embed_again(recordings, encoder, told)
    with infant_locked(infant.id) as locked:
        still = _other(locked, fingerprint).filter(id__in=list(embedded)).prefetch_related("cries")
        _write(list(still), embedded)
        return Adopted(
            infant=locked,
            embedded=len(still),
            already=_admitted(locked).count() - len(recordings),
            unheard=tuple(unheard),
            days=baseline_days(locked, timezone.now(), fingerprint),
        )


def _write(recordings: Sequence[Recording], embedded: dict[UUID, Embedded]) -> None:
    cries = []
    for recording in recordings:
        made = embedded[recording.id]
        own = sorted(recording.cries.all(), key=lambda cry: cry.index)
        for cry, units in zip(own, made.units, strict=True):
            cry.embedding, cry.encoder = to_bytes(units), made.encoder
            cries.append(cry)
    Cry.objects.bulk_update(cries, ["embedding", "encoder"], batch_size=200)
