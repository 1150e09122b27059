"""What the pages say, in each state that an infant can be in."""

import datetime as dt

import pytest

from anomaly.models import BaselineEntry, Episode
from anomaly.silence import is_stale
from dashboard import words
from dashboard.standing import (
    INFANT_LOOKS,
    LEARNING,
    NOTHING,
    ODD,
    RECORDING_LOOKS,
    SHIFT,
    SURROUNDINGS,
    USUAL,
    Look,
    look_of_infant,
    look_of_recording,
)
from infants.models import DiaryEntry, Infant
from infants.states import ON_THE_WAY, Reason, State
from tests.builders import a_device, a_recording, a_rollup, an_episode, an_infant
from tests.dashboard.rows import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    a_heard_infant,
    a_judged,
    a_shift,
    a_usual_infant,
    seen,
)

pytestmark = pytest.mark.django_db


def _said(infant: Infant, now: dt.datetime = NOW) -> tuple[Look, str]:
    found = seen(infant, now)
    look = look_of_infant(found)
    return look, words.state_sentence(found, look, now)


# --- the infant's state --------------------------------------------------------------------------


def test_as_usual() -> None:
    assert _said(a_usual_infant()) == (USUAL, "As usual")


def test_a_persistent_shift_tells_since_when_in_the_infants_own_zone() -> None:
    infant = a_usual_infant(time_zone="Asia/Tokyo")
    a_shift(infant, dt.datetime(2026, 3, 9, 20, 0, tzinfo=dt.UTC))
    look, sentence = _said(infant)
    assert look == SHIFT
    assert sentence == "Ada’s crying has been different from usual since 10 March"


def test_a_shift_tells_when_it_began_rather_than_when_it_was_noticed() -> None:
    infant, opened = a_usual_infant(), dt.datetime(2026, 3, 9, 20, 0, tzinfo=dt.UTC)
    shift = a_shift(infant, opened)
    shift.evidence |= {"since": (opened - 2 * DAY).isoformat()}
    shift.save()
    assert _said(infant)[1].endswith("different from usual since about 7 March")
    told = words.episode_words(infant, shift, NOW)
    assert "since about 7 March, 20:00 (noticed 9 March, 20:00); still open." in told


@pytest.mark.parametrize(("frac", "told"), [(0.9, True), (0.5, True), (0.2, False), (None, False)])
def test_a_shift_tells_that_the_room_is_another(frac: float | None, *, told: bool) -> None:
    infant = a_usual_infant()
    shift = a_shift(infant)
    shift.evidence |= {"room_changed_frac": frac}
    shift.save()
    assert ("room or the monitor sounds different since then" in _said(infant)[1]) == told
    assert (words.ELSEWHERE in words.episode_words(infant, shift, NOW)) == told


def test_a_shift_that_has_ended_is_not_told_as_present() -> None:
    infant = a_usual_infant()
    a_shift(infant, last_at=NOW - 2 * DAY, closed_at=NOW - DAY, close_reason="back_to_usual")
    assert _said(infant) == (USUAL, "As usual")


@pytest.mark.parametrize(
    ("hours_ago", "when"), [(1, "today"), (10, "yesterday"), (80, "on 16 March")]
)
def test_one_odd_session_tells_its_day(hours_ago: int, when: str) -> None:
    infant = a_usual_infant()
    an_episode(infant, NOW - hours_ago * HOUR)
    assert _said(infant) == (ODD, f"One session {when} was unlike Ada’s others")


def test_several_odd_sessions_are_counted() -> None:
    infant = a_usual_infant()
    an_episode(infant, NOW - 30 * HOUR, last_at=NOW - HOUR, evidence={"n_sessions": 3})
    assert _said(infant)[1] == "3 sessions since 18 March were unlike Ada’s others"


def test_an_odd_session_of_today_is_told_after_it_has_passed() -> None:
    infant = a_usual_infant()
    ended = {"closed_at": NOW - HOUR, "close_reason": Episode.CloseReason.BACK_TO_USUAL}
    an_episode(infant, NOW - 2 * HOUR, **ended)
    assert _said(infant) == (ODD, "One session today was unlike Ada’s others; as usual since")
    assert _said(infant, NOW + 2 * DAY)[0] == USUAL


def test_a_shift_outweighs_an_odd_session() -> None:
    infant = a_usual_infant()
    an_episode(infant, NOW - HOUR)
    a_shift(infant)
    assert _said(infant)[0] == SHIFT


def test_learning_counts_days_of_the_infants_own_calendar() -> None:
    infant = a_heard_infant(time_zone="Asia/Tokyo")
    noon = dt.datetime(2026, 3, 18, 12, 0, tzinfo=dt.UTC)
    for when in (noon, noon + HOUR, noon + 4 * HOUR, noon + DAY):  # 4 hours later is tomorrow there
        recording = a_judged(infant, when)
        BaselineEntry.objects.create(recording=recording, infant=infant, recorded_at=when)
    assert _said(infant) == (LEARNING, "Still learning Ada’s usual: 2 of 9 days")


def test_an_infant_of_whom_enough_is_known_is_not_called_still_learning() -> None:
    infant = a_heard_infant()
    for day in range(9):
        when = NOW - (day + 1) * DAY
        recording = a_judged(infant, when)
        BaselineEntry.objects.create(recording=recording, infant=infant, recorded_at=when)
    said = "Enough of Ada’s crying is known; comparing begins after the next"
    assert _said(infant) == (LEARNING, said)


def test_a_fresh_model_without_a_comparison_is_told() -> None:
    infant = a_usual_infant()
    recording = a_judged(infant, NOW - MINUTE)
    assert recording.judgement.p_value is None
    look, sentence = _said(infant)
    assert look == LEARNING
    assert sentence == "Ada’s usual is learnt; the next crying will be compared with it"


def test_nothing_yet() -> None:
    assert _said(an_infant()) == (NOTHING, "Nothing heard yet")
    waiting = a_heard_infant()
    a_recording(waiting, NOW - MINUTE, state=State.EMBEDDED)
    assert _said(waiting) == (NOTHING, "Recordings have come in; none is judged yet")
    quiet = a_heard_infant()
    a_recording(quiet, NOW - MINUTE, state=State.REJECTED, reason=Reason.SILENT)
    assert _said(quiet) == (NOTHING, "No crying heard yet")


def test_who_may_not_know_the_name_reads_the_end_of_the_id() -> None:
    infant = an_infant(name="Ada")
    assert words.called(infant, is_identified=True) == "Ada"
    assert words.called(infant, is_identified=False) == f"Infant {str(infant.id)[-6:]}"


# --- freshness -----------------------------------------------------------------------------------


def test_freshness_of_cry_and_monitor() -> None:
    found = seen(a_usual_infant())
    assert words.cry_freshness(found, NOW) == "last cry 12 minutes ago"
    assert words.monitor_freshness(found, NOW) == "last heard from the monitor 3 minutes ago"
    assert not is_stale(found, NOW)


def test_a_silent_monitor_makes_what_is_known_stale() -> None:
    infant = a_usual_infant(last_seen=14 * HOUR)
    assert is_stale(seen(infant), NOW)
    assert words.monitor_freshness(seen(infant), NOW) == "no word from the monitor for 14 hours"
    assert not is_stale(seen(infant), NOW - 3 * HOUR)


def test_an_archive_is_as_old_as_its_newest_recording() -> None:
    infant = an_infant()
    archive = a_device(infant, kind="archive", last_seen_at=NOW)
    a_recording(infant, NOW - 3 * DAY, archive)
    assert is_stale(seen(infant), NOW)
    said = words.monitor_freshness(seen(infant), NOW)
    assert said == "imported recordings; no monitor is listening"


def test_a_monitor_that_was_switched_off_says_so() -> None:
    infant = an_infant()
    a_device(infant, last_seen_at=NOW - HOUR, left_at=NOW - HOUR)
    said = words.monitor_freshness(seen(infant), NOW)
    assert said == "the monitor was switched off 1 hour ago"


def test_of_several_monitors_the_one_last_heard_from_counts() -> None:
    infant = a_heard_infant(last_seen=5 * MINUTE)
    a_device(infant, last_seen_at=None)
    a_device(infant, last_seen_at=NOW - DAY)
    a_device(infant, last_seen_at=NOW, revoked_at=NOW)
    assert words.monitor_freshness(seen(infant), NOW).endswith("5 minutes ago")


def test_a_missing_monitor_and_a_low_battery_are_told() -> None:
    infant = an_infant()
    assert words.monitor_freshness(seen(infant), NOW) == "no monitor is assigned"
    a_device(infant, last_seen_at=NOW - MINUTE, battery_frac=0.14)
    assert words.monitor_freshness(seen(infant), NOW).endswith("; its battery was at 14%")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-90, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (3599, "59 minutes ago"),
        (3600, "1 hour ago"),
        (47 * 3600, "47 hours ago"),
        (48 * 3600, "2 days ago"),
    ],
)
def test_how_long_ago(seconds: int, said: str) -> None:
    assert words.ago(NOW - dt.timedelta(seconds=seconds), NOW) == said


def test_today_stands_beside_usual_days() -> None:
    infant = a_usual_infant()
    assert words.today_words(seen(infant), NOW) == "1 recording today, 4 seconds of crying"
    for day, n in enumerate((4, 5, 6, 7, 8), start=1):
        a_rollup(infant, (NOW - day * DAY).date(), n_recordings=n)
    assert words.today_words(seen(infant), NOW).endswith("; a usual day has 5 to 7")
    assert words.today_words(seen(infant), NOW + DAY).startswith("No crying judged today")
    assert words.today_words(seen(an_infant()), NOW) == ""


def test_what_is_not_judged_is_counted() -> None:
    infant = a_usual_infant()
    for state in (State.RECEIVED, State.SCORED, State.DONE):
        a_recording(infant, NOW, state=state)
    a_recording(infant, NOW, state=State.FAILED, state_changed_at=NOW - HOUR)
    a_recording(infant, NOW, state=State.FAILED, state_changed_at=NOW - 3 * DAY)
    assert words.waiting_words(seen(infant)) == [
        "2 recordings waiting to be judged",
        "1 recording could not be judged since yesterday",
    ]


# --- recordings, episodes, diary -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("p_value", "said"),
    [(0.05, "unusual"), (0.051, "within the usual range"), (None, "learning, 4 of 9 days")],
)
def test_the_fate_of_a_judged_recording(p_value: float | None, said: str) -> None:
    recording = a_judged(a_heard_infant(), NOW, p_value)
    assert words.fate_words(recording, look_of_recording(recording)) == said


@pytest.mark.parametrize(
    ("p_value", "room_p_value", "told"),
    [(0.01, 0.02, True), (0.01, 0.5, False), (0.5, 0.02, False), (0.01, None, False)],
)
def test_what_is_unusual_and_sounds_elsewhere_is_told_so(
    p_value: float, room_p_value: float | None, *, told: bool
) -> None:
    recording = a_judged(a_heard_infant(), NOW, p_value)
    recording.judgement.room_p_value = room_p_value
    said = words.fate_words(recording, look_of_recording(recording))
    assert ("room or the monitor" in said) == told


@pytest.mark.parametrize("state", [*ON_THE_WAY, State.HELD, State.REJECTED, State.FAILED])
def test_every_state_of_a_recording_has_words_and_a_look(state: State) -> None:
    recording = a_recording(an_infant(), state=state)
    look = look_of_recording(recording)
    assert look in RECORDING_LOOKS
    assert len(words.fate_words(recording, look)) > 5


def test_why_a_recording_was_not_judged() -> None:
    recording = a_recording(an_infant(), state=State.FAILED, reason=Reason.AUDIO_MISSING)
    said = words.fate_words(recording, look_of_recording(recording))
    assert said == "could not be judged: the stored audio cannot be found"


def test_the_gates_decision_and_its_reason() -> None:
    infant = a_heard_infant()
    assert words.gate_words(a_recording(infant)) == ""
    assert words.gate_words(a_judged(infant, NOW, 0.5)) == "accepted"
    refused = a_judged(infant, NOW - DAY, 0.5, accepted=False)
    refused.gate_decision.parts = [
        {"name": "development", "confidence": 0.9, "reason": "in the range"},
        {"name": "arousal", "confidence": 0.1, "reason": "more aroused than is usual"},
    ]
    assert words.gate_words(refused) == "refused: more aroused than is usual"
    refused.gate_decision.is_cry = False
    assert words.gate_words(refused) == "not a cry"


def test_unjudged_recordings_by_reason() -> None:
    counts = [
        ("received", "", 2),
        ("rejected", "silent", 1),
        ("scored", "", 1),
        ("failed", "gave_up", 2),
    ]
    assert words.unjudged_words(counts) == [
        "3 recordings on the way",
        "1 recording with nothing to judge: nothing but silence",
        "2 recordings could not be judged: it failed as often as is allowed",
    ]


PITCH = {"view": "f0_log2_hz", "share": 0.8, "sd": 1.4, "sd_low": 0.9, "sd_high": 1.9}
PITCH |= {"by": 14.2, "low": 9.1, "high": 19.4, "unit": "%"}
JITTER = {"view": "jitter_frac", "share": 0.1, "sd": -0.9, "sd_low": -1.5, "sd_high": -0.3}
JITTER |= {"by": -12.0, "low": -20.0, "high": -4.0, "unit": "%"}
WHOLE = {"view": "embedding", "share": 0.1, "sd": 0.2, "sd_low": -0.3, "sd_high": 0.7}
EVIDENCE = {
    "views": [JITTER, PITCH, WHOLE],
    "room": "unchanged",
    "n_sessions": 17,
    "n_recordings": 41,
    "n_days": 9,
    "severity": "clear",
    "peak_statistic": 6.93,
    "threshold": 3.34,
}


def test_a_shift_tells_what_moved_by_how_much_and_on_how_much_data() -> None:
    infant = an_infant()
    shift = a_shift(infant, NOW - 2 * DAY, evidence=EVIDENCE)
    assert words.episode_words(infant, shift, NOW) == (
        "A persistent shift since 18 March, 02:14; still open. "
        "Higher in pitch (+14 % [+9, +19]), steadier (-12 % [-20, -4]); "
        "sound as a whole unchanged; room unchanged; 41 recordings in 17 sessions on 9 days; "
        "clear evidence (statistic 6.9; an episode begins at 3.3)."
    )
    assert words.episode_words(infant, a_shift(infant, NOW - DAY), NOW).endswith("still open.")


def test_what_may_not_have_moved_is_not_said_to_have() -> None:
    infant = an_infant()
    unsure = PITCH | {"sd_low": -0.1}
    shift = a_shift(infant, evidence=EVIDENCE | {"views": [unsure], "room": "unknown"})
    told = words.episode_words(infant, shift, NOW)
    assert "pitch" not in told
    assert "room" not in told


def test_a_shift_in_the_sound_as_a_whole_is_told_in_standard_deviations() -> None:
    infant = an_infant()
    moved = WHOLE | {"sd": 1.1, "sd_low": 0.4, "sd_high": 1.8}
    shift = a_shift(infant, evidence=EVIDENCE | {"views": [moved]})
    told = words.episode_words(infant, shift, NOW)
    assert "Sound as a whole unlike before (+1.1 sd [0.4, 1.8])" in told


def test_what_a_reviewer_said_is_told() -> None:
    infant = a_usual_infant()
    shift = a_shift(infant, verdict="unusual", reviewed_at=NOW)
    assert "a reviewer said: not usual" in _said(infant)[1]
    assert words.episode_words(infant, shift, NOW).endswith(
        "A reviewer said: not usual, and never to be learnt."
    )


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (["device"], "Another monitor is listening"),
        (["room", "room"], "The room sounds different"),
        (["device", "room"], "Another monitor is listening and the room sounds different"),
    ],
)
def test_new_surroundings_are_told_while_they_are_learnt(labels: list[str], told: str) -> None:
    infant = a_usual_infant()
    changes = [{"label": label, "since": NOW.isoformat()} for label in labels]
    episode = an_episode(
        infant,
        NOW - 2 * DAY,
        kind=Episode.Kind.NEW_SURROUNDINGS,
        evidence={"changes": changes, "n_sessions": 4, "n_recordings": 9, "n_days": 2},
    )
    look, sentence = _said(infant)
    assert look == SURROUNDINGS
    assert sentence == (
        f"{told} since 18 March; until that is learnt, single sessions are not compared"
    )
    assert f"{told}; 9 recordings in 4 sessions on 2 days." in words.episode_words(
        infant, episode, NOW
    )


def test_an_odd_session_tells_its_evidence() -> None:
    infant = an_infant()
    ended = {"closed_at": NOW, "close_reason": Episode.CloseReason.BACK_TO_USUAL}
    odd = an_episode(infant, NOW - HOUR, **ended, evidence={"smallest_p_value": 0.02})
    assert words.episode_words(infant, odd, NOW) == (
        "One session unlike the others from today, 01:14 to today, 02:14; "
        "closed because the crying is back to usual. Smallest p = 0.020."
    )


def test_a_diarys_free_text_is_not_for_everyone() -> None:
    entry = DiaryEntry(kind="illness", text="fever,\nsaid Dr Who")
    assert words.diary_words(entry, is_identified=True) == "fever, said Dr Who"
    assert words.diary_words(entry, is_identified=False) == "illness"
    warm = DiaryEntry(kind="temperature", temperature_c=38.64)
    assert words.diary_words(warm, is_identified=False) == "38.6 °C"


def test_very_small_p_values_are_not_printed_as_zero() -> None:
    assert words.p_words(0.0002) == "below 0.001"
    assert words.p_words(None) == ""


# --- looks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("looks", [INFANT_LOOKS, RECORDING_LOOKS])
def test_no_two_looks_share_a_shape_or_a_word(looks: tuple[Look, ...]) -> None:
    assert len({look.shape for look in looks}) == len(looks)
    assert len({look.word for look in looks}) == len(looks)


def test_every_look_of_an_infant_has_a_place_of_its_own() -> None:
    assert [look.rank for look in INFANT_LOOKS] == list(range(len(INFANT_LOOKS)))
