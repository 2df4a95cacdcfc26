"""What desk and enterprise do before an incident is closed, for stories that are about something else."""

from collections.abc import Callable

from alerting.incidents.closed_loop import Result, Side, Step, missing_steps
from alerting.incidents.incidents import Incidents
from alerting.records import Change


def do_missing_steps(book: Incidents, identity: int, now: int, change: Change) -> None:
    """Both sides do what the incident's grade requires and is not done yet."""
    acts: dict[Step, Callable[[], object]] = {
        Step.DESK_ACKNOWLEDGED: lambda: book.acknowledge(identity, Side.DESK, "county", "王芳", "", now, change),
        Step.ENTERPRISE_ACKNOWLEDGED: lambda: book.acknowledge(
            identity, Side.ENTERPRISE, "works", "李工", "", now, change
        ),
        Step.VERIFIED: lambda: book.verify(identity, Result.REAL, "works", "李工", "", now, change),
        Step.HANDLED: lambda: book.handle(identity, "切断进料", "works", "李工", "", now, change),
        Step.FEEDBACK: lambda: book.feed_back(identity, "已处置", [], "works", "李工", now, change),
        Step.REVIEWED: lambda: book.review(identity, "county", "王芳", "", now, change, accepted=True),
    }
    for missing in missing_steps(book.opened(identity)):
        acts[missing]()
