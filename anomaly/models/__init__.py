"""Rows of judgement: decisions, baselines, personal models, scores, series, episodes, events."""

from anomaly.models.episodes import Episode, Event
from anomaly.models.judgement import (
    GateDecision,
    RecordingJudgement,
    SessionJudgement,
    SessionSummary,
)
from anomaly.models.learning import BaselineEntry, PersonalModel
from anomaly.models.series import DailyChannels, DailyRollup, ScorePoint, WatchedDay
from anomaly.models.trials import VersionTrial

__all__ = [
    "BaselineEntry",
    "DailyChannels",
    "DailyRollup",
    "Episode",
    "Event",
    "GateDecision",
    "PersonalModel",
    "RecordingJudgement",
    "ScorePoint",
    "SessionJudgement",
    "SessionSummary",
    "VersionTrial",
    "WatchedDay",
]
