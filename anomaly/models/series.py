"""The per-infant time series of scores, and what is summed up by day.

The series is one ordinary table on SQLite and PostgreSQL, and a hypertable where TimescaleDB is
found. For that its primary key contains the time column and begins with the infant, and nothing
has a foreign key to it. A point's time never changes: a corrected one is deleted and inserted.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from anomaly.models.judgement import Outcome
from anomaly.models.learning import PersonalModel
from infants.models import Infant, Recording


class ScorePoint(models.Model):
    """One scorer's word on one recording; `combined` is the one people look at."""

    class Scorer(models.TextChoices):
        """Whose word it is."""

        AUTOENCODER = "autoencoder"
        OCSVM = "ocsvm", "one-class SVM"
        GMM = "gmm", "Gaussian mixture"
        LIKELIHOOD = "likelihood", "likelihood beside the population"
        ACOUSTICS = "acoustics", "acoustic channels"
        COMBINED = "combined"

    pk = models.CompositePrimaryKey("infant_id", "time", "recording_id", "scorer")
    infant = models.ForeignKey(
        Infant, on_delete=models.CASCADE, db_index=False, related_name="score_points"
    )
    time = models.DateTimeField()
    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="score_points")
    scorer = models.CharField(max_length=16, choices=Scorer)
    outcome = models.CharField(max_length=16, choices=Outcome)
    score = models.FloatField(null=True)
    p_value = models.FloatField(null=True)
    baseline_days = models.PositiveIntegerField()
    baseline_days_needed = models.PositiveIntegerField()
    model = models.ForeignKey(
        PersonalModel, null=True, on_delete=models.RESTRICT, db_index=False, related_name="+"
    )
    encoder = models.CharField(max_length=64)
    gate_version = models.CharField(max_length=64)
    gate_accepted = models.BooleanField()

    class Meta:
        indexes: ClassVar = [
            models.Index(F("infant"), F("time").desc(), name="series_newest"),
            models.Index(
                fields=["infant", "time"],
                condition=Q(outcome=Outcome.LEARNING),
                name="series_learning",
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    outcome=Outcome.SCORED,
                    score__isnull=False,
                    p_value__isnull=False,
                    model__isnull=False,
                )
                | Q(outcome=Outcome.LEARNING, score=None, p_value=None, model=None),
                name="series_numbers_only_where_scored",
            )
        ]

    def __str__(self) -> str:
        """Name infant, time and scorer."""
        return f"{self.scorer} of {self.infant_id} at {self.time:%Y-%m-%d %H:%M:%S}"


class DailyRollup(models.Model):
    """One infant's day in numbers; the day is the infant's own."""

    infant = models.ForeignKey(
        Infant, on_delete=models.CASCADE, db_index=False, related_name="rollups"
    )
    day = models.DateField()
    n_recordings = models.PositiveIntegerField()
    n_cries = models.PositiveIntegerField()
    cry_s = models.FloatField()
    n_accepted = models.PositiveIntegerField()
    n_scored = models.PositiveIntegerField()
    p_value_min = models.FloatField(null=True)
    p_value_median = models.FloatField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["infant", "day"], name="rollup_once_a_day"),
            models.CheckConstraint(
                condition=Q(n_scored=0, p_value_min=None, p_value_median=None)
                | Q(n_scored__gt=0, p_value_min__isnull=False, p_value_median__isnull=False),
                name="rollup_numbers_only_where_scored",
            ),
        ]

    def __str__(self) -> str:
        """Name infant and day."""
        return f"{self.day} of {self.infant_id}"


class DailyChannels(models.Model):
    """The acoustic channels of one infant's day, a row of its own since lists of days skip it.

    `quantiles` holds by channel under which of the values of the day's judged recordings a tenth,
    half and nine tenths lie. A function of the recordings, like the `DailyRollup` beside it, and
    written with it.
    """

    infant = models.ForeignKey(
        Infant, on_delete=models.CASCADE, db_index=False, related_name="daily_channels"
    )
    day = models.DateField()
    quantiles = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "daily channels"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["infant", "day"], name="channels_once_a_day")
        ]

    def __str__(self) -> str:
        """Name infant and day."""
        return f"channels of {self.infant_id} on {self.day}"


class WatchedDay(models.Model):
    """What the sequential monitor made of one infant's day.

    The statistic is a logarithm: a shift opens where it reaches the threshold. A function of all
    sessions and reviews, like the episodes, and written with them; days before the baseline is
    learnt have none.
    """

    infant = models.ForeignKey(
        Infant, on_delete=models.CASCADE, db_index=False, related_name="watched_days"
    )
    day = models.DateField()
    highest = models.FloatField()
    last = models.FloatField()
    surroundings = models.CharField(max_length=16, blank=True)  # room or device, where one changed

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["infant", "day"], name="watched_once_a_day")
        ]

    def __str__(self) -> str:
        """Name infant and day."""
        return f"{self.day} of {self.infant_id}: {self.highest:.2f}"
