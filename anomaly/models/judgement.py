"""What the gate decided and what the personal model said, one row a recording or session."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from anomaly.models.learning import PersonalModel
from devices.models import Device
from infants.models import Infant, Recording, RecordingSession, User


class GateDecision(models.Model):
    """Is it a cry; may the baseline learn from it; and why.

    `review` is a person's word in the place of the gate's; `answer` says what the sound was, where
    the person said that too. What is not the infant's own crying counts in no session, no day and
    no episode (`COUNTED`).
    """

    class Answer(models.TextChoices):
        """What a person says that a sound was."""

        EXPECTED = "expected", _("crying that was expected")
        NOT_MY_BABY = "not_my_baby", _("another child’s crying")
        NOT_A_CRY = "not_a_cry", _("no crying")

    COUNTED: ClassVar = ("", Answer.EXPECTED.value)

    recording = models.OneToOneField(
        Recording, primary_key=True, on_delete=models.CASCADE, related_name="gate_decision"
    )
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="gate_decisions")
    is_cry = models.BooleanField()
    cry_probability = models.FloatField()
    accepted = models.BooleanField()
    confidence = models.FloatField()
    threshold = models.FloatField()
    arousal = models.FloatField(null=True, blank=True)
    parts = models.JSONField(default=list)
    abstained = models.JSONField(default=list)
    given = models.JSONField(default=dict)  # age and usual arousal, as they were known then
    gate_version = models.CharField(max_length=64)
    build = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(db_default=Now(), editable=False)
    review = models.BooleanField(
        null=True, blank=True, help_text="What a reviewer decided instead; empty: nothing."
    )
    answer = models.CharField(max_length=16, choices=Answer, blank=True, default="")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["infant"], condition=Q(review__isnull=False), name="gate_reviewed"
            ),
            models.Index(fields=["infant"], condition=Q(is_cry=False), name="gate_not_a_cry"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(is_cry=True) | Q(accepted=False), name="gate_accepts_only_cries"
            ),
            models.CheckConstraint(
                condition=Q(is_cry=True) | Q(review=None), name="gate_review_is_of_a_cry"
            ),
            models.CheckConstraint(
                condition=Q(answer="")
                | Q(answer="expected", review=True)
                | Q(answer__in=["not_my_baby", "not_a_cry"], review=False),
                name="gate_answer_decides_learning",
            ),
        ]

    @property
    def may_learn(self) -> bool:
        """Whether the baseline may learn from it: the reviewer's word, or else the gate's."""
        return self.accepted if self.review is None else self.review

    @property
    def is_counted(self) -> bool:
        """Whether it counts as the infant's crying: nobody has said that it is none."""
        return self.answer in self.COUNTED

    def __str__(self) -> str:
        """Name the recording and the decision."""
        return f"{self.recording_id}: {'accepted' if self.accepted else 'refused'}"


class Outcome(models.TextChoices):
    """Whether there is a number to speak of."""

    SCORED = "scored"
    LEARNING = "learning"


NUMBERS_ONLY_WHERE_SCORED = Q(
    outcome=Outcome.SCORED,
    model__isnull=False,
    statistic__isnull=False,
    p_value__isnull=False,
) | Q(outcome=Outcome.LEARNING, model=None, statistic=None, p_value=None)


class RecordingJudgement(models.Model):
    """How far a recording is from the infant's own baseline, or that this is still being learnt.

    `scores` (high = anomalous) and `p_values` are by scorer; `statistic` and `p_value` combine
    them. `room_score` and `room_p_value` are those of the background, which is part of neither;
    they are empty where too few backgrounds are known. `baseline_days` of `baseline_days_needed`
    say how far the learning has come.
    """

    recording = models.OneToOneField(
        Recording, primary_key=True, on_delete=models.CASCADE, related_name="judgement"
    )
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="judgements")
    outcome = models.CharField(max_length=16, choices=Outcome)
    model = models.ForeignKey(
        PersonalModel, null=True, blank=True, on_delete=models.RESTRICT, related_name="judgements"
    )
    scores = models.JSONField(default=dict)
    p_values = models.JSONField(default=dict)
    statistic = models.FloatField(null=True, blank=True)
    p_value = models.FloatField(null=True, blank=True)
    room_score = models.FloatField(null=True, blank=True)
    room_p_value = models.FloatField(null=True, blank=True)
    baseline_days = models.PositiveIntegerField()
    baseline_days_needed = models.PositiveIntegerField()
    encoder = models.CharField(max_length=64)
    build = models.CharField(max_length=200, blank=True)
    judged_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=NUMBERS_ONLY_WHERE_SCORED, name="judgement_numbers_only_where_scored"
            )
        ]

    def __str__(self) -> str:
        """Name the recording and the outcome."""
        return f"{self.recording_id}: {self.outcome}"


class SessionJudgement(models.Model):
    """How far a whole session is from the baseline: the unit at which promises hold."""

    session = models.OneToOneField(
        RecordingSession, primary_key=True, on_delete=models.CASCADE, related_name="judgement"
    )
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="session_judgements")
    started_at = models.DateTimeField()
    model = models.ForeignKey(
        PersonalModel, on_delete=models.RESTRICT, related_name="session_judgements"
    )
    statistic = models.FloatField()
    p_value = models.FloatField()
    p_values = models.JSONField(default=dict)  # by scorer
    room_p_value = models.FloatField(null=True, blank=True)
    n_recordings = models.PositiveIntegerField()
    build = models.CharField(max_length=200, blank=True)
    judged_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["infant", "started_at"])]

    def __str__(self) -> str:
        """Name the session and its p-value."""
        return f"{self.session_id}: p = {self.p_value:.3f}"


class SessionSummary(models.Model):
    """Where a session lies in the views that the monitor watches, judged or not.

    `levels` and `counts` are by acoustic channel, `room` is the background; a channel that no
    recording has is in neither. They are functions of the session's recordings and of `prior`.
    """

    session = models.OneToOneField(
        RecordingSession, primary_key=True, on_delete=models.CASCADE, related_name="summary"
    )
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="session_summaries")
    levels = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    room = models.JSONField(null=True, blank=True)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    age_days = models.FloatField(null=True, blank=True)
    n_recordings = models.PositiveIntegerField()
    prior = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "session summaries"

    def __str__(self) -> str:
        """Name the session."""
        return f"summary of {self.session_id}"
