"""What the demonstration found, beside what was planted: in words, with the days numbered."""

from django.db.models import Count, Q
from rich.console import Console
from rich.table import Table

from anomaly.evidence import change_words, movement_words
from anomaly.models import Episode
from anomaly.notice import NOTICE
from anomaly.selectors.standing import baseline_standing
from iclas.demonstration import HOUSEHOLD, SHIFTED_ON, Demonstration
from infants.access import Viewer
from infants.models import Infant
from pipelines.score import Learning

WIDTH = 110
NOTICED_WITHIN_DAYS = 4


def report(demonstration: Demonstration) -> str:
    """Return the log of the household, for people."""
    infants = {infant.source_key: infant for infant in Infant.objects.all()}
    console = Console(width=WIDTH)
    with console.capture() as captured:
        console.print(_counts(infants))
        for member in HOUSEHOLD:
            infant = infants[member.simulated.key]
            console.print(f"{infant.name}. Planted: {member.planted}.", highlight=False)
            for line in _found(infant, demonstration):
                console.print(f"    {line}", highlight=False)
        console.print(_verdict(infants["demo-shift"], demonstration), highlight=False)
        console.print(f"Simulated. {NOTICE}", style="dim")
    return captured.get()


def _counts(infants: dict[str, Infant]) -> Table:
    table = Table(title="The household", title_justify="left", box=None, header_style="bold")
    table.add_column("")
    for heading in ("recordings", "accepted by the gate", "with a number", "baseline"):
        table.add_column(heading, justify="right")
    for member in HOUSEHOLD:
        infant = infants[member.simulated.key]
        counts = infant.recordings.aggregate(
            n=Count("id"),
            accepted=Count("id", filter=Q(gate_decision__accepted=True)),
            scored=Count("id", filter=Q(judgement__outcome="scored")),
        )
        table.add_row(infant.name, *map(str, counts.values()), _standing(infant))
    return table


def _standing(infant: Infant) -> str:
    found = baseline_standing(Viewer.system(), infant)
    if isinstance(found, Learning):
        return found.text
    return f"version {found.number}, {found.n_days} days"


def _found(infant: Infant, demonstration: Demonstration) -> list[str]:
    episodes = list(infant.episodes.order_by("opened_at"))
    odd = [e for e in episodes if e.kind == Episode.Kind.SINGLE_EXTREME]
    lines = [line for e in episodes if e not in odd for line in _sentences(e, demonstration)]
    days = ", ".join(f"{demonstration.day_of(e.opened_at):.1f}" for e in odd)
    return [*lines, f"Sessions unlike the others: {len(odd)}" + (f" (days {days})" if odd else "")]


def _sentences(episode: Episode, demonstration: Demonstration) -> list[str]:
    if episode.kind == Episode.Kind.NEW_SURROUNDINGS:
        what, since = change_words(episode.evidence), demonstration.day_of(episode.began_at)
        return [f"New surroundings since about day {since:.1f}: {what}."]
    moved = movement_words(episode.evidence)
    return [_sentence(episode, demonstration), *([f"    {moved}."] if moved else [])]


def _sentence(episode: Episode, demonstration: Demonstration) -> str:
    began, noticed = (demonstration.day_of(at) for at in (episode.began_at, episode.opened_at))
    end = "open"
    if episode.closed_at is not None:
        reason = Episode.CloseReason(episode.close_reason).label
        end = f"closed on day {demonstration.day_of(episode.closed_at):.1f}: {reason}"
    return f"A persistent shift since about day {began:.1f}, noticed on day {noticed:.1f}, {end}."


def _verdict(infant: Infant, demonstration: Demonstration) -> str:
    """Say whether the planted shift was found, and how near its named start is."""
    shifts = infant.episodes.filter(kind=Episode.Kind.PERSISTENT_SHIFT).order_by("opened_at")
    after = [e for e in shifts if demonstration.day_of(e.opened_at) >= SHIFTED_ON]
    if not after:
        return f"The shift planted on day {SHIFTED_ON} was NOT found."
    off_days = demonstration.day_of(after[0].began_at) - SHIFTED_ON
    near = "within" if abs(off_days) <= NOTICED_WITHIN_DAYS else "NOT within"
    return (
        f"The shift planted on day {SHIFTED_ON} was found; its start is named {off_days:+.1f} days "
        f"off, {near} {NOTICED_WITHIN_DAYS} days."
    )
