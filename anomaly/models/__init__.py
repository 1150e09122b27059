"""Rows of judgement: decisions, baselines, models, scores, series, episodes, events, reviews."""

from anomaly.models.episodes import Episode, Event
from anomaly.models.judgement import (
    GateDecision,
    RecordingJudgement,
    SessionJudgement,
    SessionSummary,
)
from anomaly.models.learning import BaselineEntry, PersonalModel
from anomaly.models.patients import PatientReview, Suspicion
from anomaly.models.readings import Opinion, Reader, Reading, ReadingItem, ReadingTask
from anomaly.models.series import DailyChannels, DailyRollup, ScorePoint, WatchedDay
from anomaly.models.trials import VersionTrial

__all__ = [
    "BaselineEntry",
    "DailyChannels",
    "DailyRollup",
    "Episode",
    "Event",
    "GateDecision",
    "Opinion",
    "PatientReview",
    "PersonalModel",
    "Reader",
    "Reading",
    "ReadingItem",
    "ReadingTask",
    "RecordingJudgement",
    "ScorePoint",
    "SessionJudgement",
    "SessionSummary",
    "Suspicion",
    "VersionTrial",
    "WatchedDay",
]
