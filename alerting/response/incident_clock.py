"""The clock of one open incident: what is still to be told, and until when somebody has to answer."""

from dataclasses import dataclass, field
from typing import Any

from alerting.response.plans import Plan
from domain.scales import Grade

NEVER = 2**62
"""Due at no time."""


@dataclass(slots=True)
class IncidentClock:
    """The clock of one open incident. Times in ms UTC."""

    incident: int
    tier: int
    grade: Grade
    began_at: int
    plan: Plan | None
    pending: list[tuple[int, int]] = field(default_factory=list)
    """Steps of the plan yet to come: index in its schedule, due at."""
    acknowledge_by: int | None = None
    """None: nothing to wait for, or the time has passed."""
    feedback_by: int | None = None

    @property
    def steps_to_come(self) -> bool:
        """Some of the plan's steps have not come yet, repetitions apart."""
        return self.plan is not None and any(not self.plan.schedule[index].again for index, _ in self.pending)

    @property
    def due(self) -> int:
        """When there is something to look at."""
        times = [at for _, at in self.pending]
        times += [at for at in (self.acknowledge_by, self.feedback_by) if at is not None]
        return min(times, default=NEVER)

    def draw_near(self, now: int) -> bool:
        """Let nothing be due later than if the tier began now: the clock was set back. True: something would be."""
        before, plan = self.row(), self.plan
        self.began_at = min(self.began_at, now)
        if plan is not None:
            self.pending = [(index, min(at, now + plan.schedule[index].after)) for index, at in self.pending]
            self.acknowledge_by = _sooner(self.acknowledge_by, now + plan.acknowledge)
            self.feedback_by = _sooner(self.feedback_by, now + plan.feedback)
        return self.row() != before

    def row(self, done_at: int | None = None) -> dict[str, Any]:
        """For the ledger."""
        return {
            "incident": self.incident,
            "tier": self.tier,
            "grade": int(self.grade),
            "plan": None if self.plan is None else self.plan.id,
            "began_at": self.began_at,
            "pending": [list(step) for step in self.pending],
            "acknowledge_by": self.acknowledge_by,
            "feedback_by": self.feedback_by,
            "done_at": done_at,
        }


def _sooner(due: int | None, at: int) -> int | None:
    return None if due is None else min(due, at)
