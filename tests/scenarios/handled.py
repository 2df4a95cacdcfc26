"""An incident in the hands of desk and enterprise, told in minutes, on a real ledger and with a restart at every step.

After each act what it changed is committed to SQLite, the process is gone, and the register is made anew from what the
ledger holds: it must be what it was. The story goes on with the new one.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import event

from alerting.incidents.accident import AccidentClass, Figures, ReportStep
from alerting.incidents.closed_loop import Result, Side
from alerting.incidents.dossier import Stored
from alerting.incidents.grading import GradingTable
from alerting.incidents.incidents import Incidents
from alerting.journal.journal import verify
from alerting.ledger.ledger import Ledger
from alerting.records import Change, Incident
from domain.scales import Grade
from tests.watched_unit import WatchedUnit, ms, register_of

PHOTO = Stored("现场.jpg", "image/jpeg", 4_711, "ab" * 32)


class HandledIncident(WatchedUnit):
    """The unit of the other stories, with people who handle its incident. Times of acts are minutes."""

    def __init__(
        self, ledger: Ledger, runner: asyncio.Runner, hazard_level: int | None, table: GradingTable | None
    ) -> None:
        super().__init__(hazard_level=hazard_level, table=table)
        self.ledger = ledger
        self._runner = runner
        self._number = 0

    # ---- alarms, all at once

    def alarms(self, *paths: str, at: float) -> list[str]:
        """Conditions enter."""
        return self.enters(*paths, at=at * 60)

    def ends(self, *paths: str, at: float) -> list[str]:
        """Their alarms are acknowledged, and they leave."""
        for path in paths:
            self.acknowledges(path, at=at * 60)
        return self.leaves(*paths, at=at * 60)

    def passes(self, at: float) -> list[str]:
        """Nothing happens but time."""
        return self.waits_until(at * 60)

    # ---- people

    def desk_acknowledges(self, at: float, by: str = "王芳") -> list[str]:
        return self.act(at, lambda book, i, now, c: book.acknowledge(i, Side.DESK, "county", by, "", now, c))

    def enterprise_acknowledges(self, at: float, by: str = "李工", person: str | None = None) -> list[str]:
        return self.act(
            at, lambda book, i, now, c: book.acknowledge(i, Side.ENTERPRISE, "works", by, "", now, c, person=person)
        )

    def verifies(self, result: str, at: float, by: str = "李工", comment: str = "") -> list[str]:
        return self.act(at, lambda book, i, now, c: book.verify(i, Result(result), "works", by, comment, now, c))

    def confirms(self, at: float, by: str) -> list[str]:
        return self.act(at, lambda book, i, now, c: book.confirm_verification(i, "county", by, "", now, c))

    def rejects(self, at: float, by: str) -> list[str]:
        return self.act(at, lambda book, i, now, c: book.reject_verification(i, "county", by, "", now, c))

    def handles(self, step: str, at: float, by: str = "李工") -> list[str]:
        return self.act(at, lambda book, i, now, c: book.handle(i, step, "works", by, "", now, c))

    def attaches(self, at: float, file: Stored = PHOTO) -> int:
        made = []
        self.act(at, lambda book, i, now, c: made.append(book.attach(i, file, "works", "李工", "", now, c)))
        return made[0]

    def feeds_back(self, text: str, at: float, attachments: tuple[int, ...] = ()) -> list[str]:
        return self.act(at, lambda book, i, now, c: book.feed_back(i, text, attachments, "works", "李工", now, c))

    def reviews(self, at: float, *, accepted: bool = True, comment: str = "") -> list[str]:
        return self.act(
            at, lambda book, i, now, c: book.review(i, "county", "王芳", comment, now, c, accepted=accepted)
        )

    def finishes(self, at: float) -> list[str]:
        return self.act(at, lambda book, i, now, c: book.close(i, "county", "王芳", "已处置", now, c))

    def archives(self, at: float) -> list[str]:
        return self.act(at, lambda book, i, now, c: book.archive(i, "county", "王芳", "", now, c))

    def decides(self, grade: str, at: float, reason: str = "现场目视") -> list[str]:
        return self.act(
            at, lambda book, i, now, c: book.decide(i, Grade.parse(grade), "county", "王芳", reason, now, c)
        )

    def comments(self, text: str, at: float) -> list[str]:
        return self.act(at, lambda book, i, now, c: book.comment(i, "county", "王芳", text, now, c))

    def declares(self, accident_class: str, at: float, dead: int = 0, injured: int = 0) -> list[str]:
        figures = Figures(AccidentClass(accident_class), dead, injured, 0.0, ms(at * 60))
        return self.act(at, lambda book, i, now, c: book.declare_accident(i, figures, "county", "王芳", "", now, c))

    def reports(self, step: str, at: float) -> list[str]:
        return self.act(
            at,
            lambda book, i, now, c: book.report_accident(i, ReportStep(step), now, "works", "赵厂长", "", now, c),
        )

    # ---- machines

    def is_pushed(self, at: float) -> list[str]:
        return self.act(at, lambda book, i, now, c: book.push(i, now, c))

    def escalates(self, reason: str, at: float) -> list[str]:
        return self.act(at, lambda book, i, now, c: book.escalate(i, reason, now, c))

    # ---- what there is to see

    def handles_now(self, number: int) -> None:
        """Whoever acts from now on, acts on that incident."""
        self._number = number

    @property
    def case(self) -> Incident:
        """The incident that the story is about, open or closed."""
        return self.register.casebook.find(self._number)

    @property
    def stands(self) -> str:
        """Where it stands in the loop."""
        return self.case.state.value

    def act(self, at: float, do: Callable[[Incidents, int, int, Change], object]) -> list[str]:
        """Something is done, in one commit; a refusal leaves nothing."""
        if not self._number:
            self._number = self.incident().id
        change = Change()
        try:
            do(self.register.casebook, self._number, ms(at * 60), change)
        except BaseException:
            assert change.is_empty
            raise
        return [what.split(" ")[0] for what in self._commit(change)]

    def _commit(self, change: Change) -> list[str]:
        told = super()._commit(change)
        self._runner.run(self.ledger.commit(change))
        before = self.register
        open_ = {identity: replace(incident) for identity, incident in before.casebook.open.items()}
        loaded = self._runner.run(self.ledger.load(settled_since=0))
        self.register = register_of(self.site, self.table, loaded)
        assert self.register.active == before.active
        assert self.register.casebook.open == open_
        assert self.register.casebook.closed == before.casebook.closed
        assert list(self.register.casebook.closed) == list(before.casebook.closed)
        return told


@contextmanager
def handled(
    folder: Path, hazard_level: int | None = None, table: GradingTable | None = None
) -> Iterator[HandledIncident]:
    """A unit on a ledger of its own; its journal holds in the end."""
    with asyncio.Runner() as runner:
        ledger = Ledger(f"sqlite+aiosqlite:///{folder}/ledger.sqlite")
        for engine in (ledger.engine, ledger._writer):
            event.listen(engine.sync_engine, "connect", _never_sync)
        runner.run(ledger.start())
        try:
            yield HandledIncident(ledger, runner, hazard_level, table)
            assert runner.run(verify(ledger.entries())).fault is None
        finally:
            runner.run(ledger.close())


def _never_sync(connection: object, _record: object) -> None:
    """No power fails here."""
    connection.cursor().execute("PRAGMA synchronous=OFF")  # type: ignore[attr-defined]
