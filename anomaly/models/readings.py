"""Readings for studies: items that several people hear and rate, without scores where blinded."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from uuid6 import uuid7

from infants.models import Infant, Recording, User


class Opinion(models.TextChoices):
    """What a reader says of what was heard."""

    USUAL = "usual"
    UNUSUAL = "unusual"
    CANNOT_TELL = "cannot_tell"


class ReadingTask(models.Model):
    """A study of how alike people, and the model, judge the same recordings.

    `seed` shuffles the items, another way for each reader. A task is done once every reader has
    read every item, or once its owner closed it; nobody reads on then.
    """

    class Unit(models.TextChoices):
        """What one item is."""

        SESSION = "session"
        EPISODE = "episode"
        INFANT = "infant"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="owned_reading_tasks")
    unit = models.CharField(max_length=16, choices=Unit)
    is_blinded = models.BooleanField(default=True)
    seed = models.PositiveIntegerField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        """Name it by id."""
        return f"reading task {self.id}"


class ReadingItem(models.Model):
    """What is heard at once: recordings of one infant, as they were when the task was made.

    `model_says` is the model's word of that time, empty where it had none; `model_facts` tell on
    what grounds. Readers of a blinded task see neither.
    """

    task = models.ForeignKey(ReadingTask, on_delete=models.CASCADE, related_name="items")
    number = models.PositiveSmallIntegerField()
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="+")
    recordings = models.ManyToManyField(Recording, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    model_says = models.CharField(max_length=16, choices=Opinion, blank=True)
    model_facts = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["task", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "number"], name="reading_item_number_once"),
            models.CheckConstraint(
                condition=~Q(model_says=Opinion.CANNOT_TELL), name="reading_model_says_one_or_none"
            ),
        ]

    def __str__(self) -> str:
        """Name it by task and number."""
        return f"item {self.number} of {self.task_id}"


class Reader(models.Model):
    """A person who was asked to read; `number` is what they are called in what goes out."""

    task = models.ForeignKey(ReadingTask, on_delete=models.CASCADE, related_name="readers")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="reader_of")
    number = models.PositiveSmallIntegerField()

    class Meta:
        ordering: ClassVar = ["task", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "user"], name="reader_once_a_task"),
            models.UniqueConstraint(fields=["task", "number"], name="reader_number_once"),
        ]

    def __str__(self) -> str:
        """Name it by number and task."""
        return f"reader {self.number} of {self.task_id}"


class Reading(models.Model):
    """What one reader said of one item."""

    class Confidence(models.IntegerChoices):
        """How sure a reader is."""

        LOW = 1
        MIDDLE = 2
        HIGH = 3

    item = models.ForeignKey(ReadingItem, on_delete=models.CASCADE, related_name="readings")
    reader = models.ForeignKey(Reader, on_delete=models.CASCADE, related_name="readings")
    opinion = models.CharField(max_length=16, choices=Opinion)
    confidence = models.PositiveSmallIntegerField(choices=Confidence)
    read_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "reader"], name="reading_once_an_item")
        ]

    def __str__(self) -> str:
        """Name item and reader."""
        return f"reading of {self.item_id} by {self.reader_id}"
