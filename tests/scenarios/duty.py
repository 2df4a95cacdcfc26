"""A shift with the duty room: what a desk's screen shows, who is there, and drills, on virtual time."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import orjson

from alerting.desks import duty_room
from alerting.desks.drills import Drill
from alerting.desks.duty_room import DutyRoom
from alerting.desks.watch import Board
from service import parts
from service.config import Settings
from service.drills import scenario
from service.drills.runner import DrillRunner
from service.work import Told, Work
from tests.scenarios.shift import Shift, _Answer, begun, ms
from tests.sent import Sent

DESK = "370783"


class DutyShift(Shift):
    """``told`` keeps the bodies of all journal entries of this process."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.told: list[dict[str, Any]] = []

    async def begins(self) -> None:
        """As ``Shift.begins``, with the duty room in every commit."""
        await super().begins()
        self.room = DutyRoom(
            self.settings.site,
            self.register,
            self.time,
            unattended_after=self.settings.duty.unattended_after,
            state=await duty_room.load(self.ledger.engine, self.time),
        )
        self.drills = DrillRunner(
            self.room.drills,
            lambda: self.settings.site,
            lambda: parts.make_engine(self.settings),
            self.settings.drills,
        )
        self.pipeline._participants = (self.room,)
        self.pipeline._drilling = self.drills

    def committed(self, told: Sequence[Told], canaries: Any) -> None:
        """See ``pipeline.Listener``."""
        super().committed(told, canaries)
        self.told.extend(orjson.loads(entry.body) for entry, _, _ in told)

    def screen(self, desk: str = DESK) -> Board:
        """What the desk's main screen shows."""
        return self.room.board(desk)

    def of_kind(self, prefix: str) -> list[tuple[int, str, dict[str, Any]]]:
        """Second of the shift, kind and data of what was journaled."""
        return [
            ((body["at"] - ms(0)) // 1000, body["kind"], body["data"])
            for body in self.told
            if body["kind"].startswith(prefix)
        ]

    async def does(self, act: Any) -> Any:
        """A person's act."""
        answer = _Kept()
        await self.pipeline._commit([Work(act=act, done=answer)])  # type: ignore[arg-type]
        return answer.result

    async def drills_for(self, seconds: int, *, step: int = 1) -> None:
        """Time passes with the readings of a drill; what it publishes arrives at once."""
        end = self.time + seconds * 1000
        while self.time < end:
            self.time += step * 1000
            payload = self.drills.payload(self.time)
            messages = [] if payload is None else [Sent("anshao/v1/anshao/drill/data", payload)]
            await self.gets(*messages)
            await self.pipeline.advance()
            await self.pipeline._commit([self.pipeline._queue.get_nowait()])

    async def starts_drill(self, identity: str, units: Sequence[str] = ("works/tankfarm",)) -> Drill:
        """Somebody begins a drill."""
        chosen = scenario.read(self.settings.drills, identity, self.settings.site)
        return await self.drills.start(
            chosen,
            list(units),
            circle=["zhao", "county"],
            leader="赵磊",
            actor="county",
            by="王芳",
            comment="季度演练",
            act=self.does,
        )


class _Kept(_Answer):
    result: Any = None

    def set_result(self, value: object) -> None:
        self.result = value


def duty(folder: Path, site: Mapping[str, Any], **sections: Any) -> AbstractAsyncContextManager[DutyShift]:
    """A shift from its beginning."""
    return begun(DutyShift, folder, site, **sections)
