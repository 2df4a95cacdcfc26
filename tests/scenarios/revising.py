"""Another configuration put in place during a shift, between two readings, as a running service does it."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alerting.alarms.register import Register
from alerting.records import Change
from service.config import load_revision
from service.config.documents import DocumentSet
from service.revisions.matching import match
from service.revisions.replacement import Replacement, replacement_of
from service.revisions.versions import inherit
from service.work import Work
from tests.running import write_yaml
from tests.scenarios.shift import Shift, _Answer

Site = dict[str, Any]


@dataclass
class Revising:
    """A shift, and the site file as it is now."""

    shift: Shift
    site: Site
    number: int = 1
    documents: dict[str, Path] = field(default_factory=dict)
    """What the site file names, by name."""

    async def revises(self, edit: Callable[[Site], None]) -> list[str]:
        """Somebody edits the site file, and it is applied; what was journaled."""
        made = self.prepares(edit)
        await self.applies(made)
        return self.shift._since()

    def prepares(self, edit: Callable[[Site], None]) -> Replacement:
        """All that is done beforehand."""
        shift = self.shift
        self.site = copy.deepcopy(self.site)
        edit(self.site)
        self.number += 1
        path = write_yaml(shift.settings.file.parent / "revised.yaml", self.site)
        old = shift.settings
        contents = {name: named.read_bytes() for name, named in self.documents.items()}
        contents["site.yaml"] = path.read_bytes()
        new = load_revision(old, DocumentSet.of({"sites": ["site.yaml"]}, contents))
        matching = match(old.site, new.site)
        inherit(old.site, new.site, matching, self.number)
        return replacement_of(new, matching, shift.conditions, shift.spool, shift.time)

    async def applies(self, made: Replacement) -> None:
        """The swap, on the pipeline's road."""
        shift = self.shift

        def begin(register: Register, now: int, change: Change) -> None:
            register.reconfigure(made.settings.site, made.settings.grading_table, now, change)

        def finish() -> None:
            made.put_in(shift.pipeline, shift.register, shift.conditions, shift.spool)
            shift.settings, shift.engine, shift.gateways = made.settings, made.engine, made.gateways

        work = Work(transitions=shift.conditions.take(), act=begin, finish=finish, done=_Answer())  # type: ignore[arg-type]
        await shift.pipeline._commit([work])


def tag_of(site: Site, name: str) -> dict[str, Any]:
    """A tag in a site file."""
    tags = (tag for unit in units_of(site) for tag in unit["tags"])
    return next(tag for tag in tags if tag["tag"] == name)


def units_of(site: Site) -> list[dict[str, Any]]:
    """The units of a site file."""
    return list(site["enterprises"][0]["units"])
