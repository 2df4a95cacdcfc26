"""A leak at a tank farm over two days, another enterprise's alarms between, and the evidence of it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from alerting.incidents.attachments import AttachmentStore
from alerting.incidents.dossier import Stored
from alerting.journal.keys import known_keys, open_key
from alerting.journal.sealing import Sealer
from alerting.ledger.ledger import Ledger
from alerting.records import Change
from domain.samples import SampleBlock
from historian.embedded import DuckDBHistorian
from service.config import Settings
from service.config.response_file import shipped_book
from service.evidence.making import EvidenceMaker
from tests.missing_steps import do_missing_steps
from tests.watched_unit import WatchedUnit, ms

PICTURE = b"\x89PNG\r\n\x1a\n and what a camera says"
PHOTO = Stored("现场 1/2.png", "image/png", len(PICTURE), hashlib.sha256(PICTURE).hexdigest())


@dataclass
class Made:
    """One package, and what it was made from."""

    file: Path
    maker: EvidenceMaker
    incident: int
    facts: dict[str, Any]

    @property
    def content(self) -> bytes:
        return self.file.read_bytes()


async def make_case(folder: Path, *, with_samples: bool = True, url: str | None = None) -> Made:
    """A leak at the tank farm, another enterprise's alarms between, and its evidence."""
    sealer = Sealer.open(folder)
    ledger = Ledger(url or f"sqlite+aiosqlite:///{folder / 'ledger.sqlite'}", sealer=sealer)
    historian = DuckDBHistorian(folder / "history.duckdb")
    try:
        await ledger.start()
        await ledger.load(0)
        unit = WatchedUnit(hazard_level=2)
        changes = []
        acts: tuple[Callable[[], object], ...] = (
            lambda: unit.enters("GT-1/H", at=10),
            lambda: unit.enters("other/LI-1/H", "other/LI-1/HH", at=11),
            lambda: unit.enters("GT-1/HH", at=20, value=31.5),
            lambda: unit.acknowledges("GT-1/H", at=40, name="王芳", comment="<script>alert(1)</script>"),
            lambda: unit.leaves("other/LI-1/H", at=41),
            lambda: unit.leaves("GT-1/HH", "GT-1/H", at=90),
        )
        for act in acts:
            act()
            changes.append(unit.last)
        # The next day, so that a head of the first proves the first entries.
        unit.enters("TI-9/H", at=86_400)
        changes.append(unit.last)
        change = Change()
        store = AttachmentStore(folder / "attachments")
        store.open()
        store.path(PHOTO.sha256).write_bytes(PICTURE)
        unit.register.casebook.attach(unit.incident().id, PHOTO, "county", "王芳", "", ms(86_405), change)
        do_missing_steps(unit.register.casebook, unit.incident().id, ms(86_410), change)
        changes.append(change)
        for one in changes:
            await ledger.commit(one)
        await _fill(historian, unit)
        key = open_key(folder / "keys")
        maker = EvidenceMaker(
            ledger.engine,
            historian,
            cast("Settings", SimpleNamespace(site=unit.site, response=shipped_book())),
            key,
            known_keys(folder / "keys"),
            "0.1.0",
            store.path,
        )
        file = folder / "incident.zip"
        incident = unit.incident().id
        facts = await maker.make(incident, file, "王芳", ms(90_000), with_samples=with_samples)
        return Made(file, maker, incident, facts)
    finally:
        await historian.close()
        await ledger.close()


async def _fill(historian: DuckDBHistorian, unit: WatchedUnit) -> None:
    """A reading a second of two tags, from an hour before to an hour after."""
    time = np.arange(ms(-3_600), ms(3_600), 1_000, dtype=np.int64)
    count = len(time)
    for name, high in (("GT-1", 31.5), ("PI-1", 1.2)):
        index = unit.site.tag_index[f"works/{name}"]
        value = np.where((time >= ms(10)) & (time < ms(90)), high, 1.0)
        value[5] = np.nan
        block = SampleBlock(
            tag=np.full(count, index, dtype=np.int32),
            source_time=time,
            received_time=time + 80,
            value=value,
            quality=np.full(count, 192, dtype=np.uint8),
            reason=np.zeros(count, dtype=np.uint8),
        )
        await historian.write(block, [tag.path for tag in unit.site.tags])
