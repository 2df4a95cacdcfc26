"""Making an evidence package."""

import asyncio
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.journal.keys import SigningKey, VerifyKey
from alerting.ledger.revisions_schema import revision
from domain.clock import iso
from historian.protocol import Historian
from service.config import ConfigurationError, Settings, load_revision
from service.evidence import archive
from service.evidence.gathering import CaseFile, gather
from service.evidence.manifest import MANIFEST, SIGNATURE, build
from service.evidence.proofs import prove
from service.evidence.samples import CSV, PARQUET, Written, write_samples
from service.reports.incident import incident_report, rules_of
from service.revisions.store import DocumentDamaged, RevisionStore

log = structlog.get_logger(__name__)

MOST_REVISIONS = 20
"""Revisions within an incident whose rules are written [ours]."""
_JSON = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


@dataclass(frozen=True, slots=True)
class EvidenceMaker:
    """What evidence is made from.

    ``keys``: all that heads may be signed with, by fingerprint. ``attachments``: path of a file by the SHA-256 of its
    content.
    """

    engine: AsyncEngine
    historian: Historian
    settings: Settings
    key: SigningKey
    keys: Mapping[str, VerifyKey]
    version: str
    attachments: Callable[[str], Path]

    async def make(
        self,
        incident: int,
        out: Path,
        made_by: str,
        now: int,
        *,
        with_samples: bool = True,
        progress: Callable[[str], object] = lambda _: None,
    ) -> dict[str, Any]:
        """Write the package of an incident to a file, whole or not at all; returns what its manifest states.

        Raises NotFound, NotSigned, LedgerUnavailable, HistorianUnavailable, TooLarge, OSError.
        """
        progress("ledger")
        file = await gather(self.engine, self.settings, incident, now)
        progress("journal")
        proof, file.entries = await prove(self.engine, file.entries)
        rules = await self._rules(file)
        with tempfile.TemporaryDirectory(prefix="anshao-evidence-") as name:
            folder = Path(name)
            written = Written()
            if with_samples:
                progress("samples")
                written = await write_samples(self.historian, file.site, file.tags, file.spans, file.shown, folder)
            progress("report")
            facts = self._facts(file, proof, written, made_by, now, with_samples=with_samples)
            report = await asyncio.to_thread(incident_report, file, rules, written.trends, made_by, now, self.version)
            members = self._members(file, proof, rules, report, folder, with_samples=with_samples)
            progress("archive")
            await asyncio.to_thread(self._write, facts, members, out)
        return facts

    def _facts(
        self, file: CaseFile, proof: dict[str, Any], written: Written, made_by: str, now: int, *, with_samples: bool
    ) -> dict[str, Any]:
        case, site = file.incident, file.site
        enterprise, unit = site.enterprises.get(case.enterprise), site.units.get((case.enterprise, case.unit))
        return {
            "incident": case.id,
            "drill": case.drill,
            "enterprise": case.enterprise,
            "enterprise_name": enterprise.name if enterprise else case.enterprise,
            "unit": case.unit,
            "unit_name": unit.name if unit else case.unit,
            "opened_at": iso(case.opened_at),
            "closed_at": None if case.closed_at is None else iso(case.closed_at),
            "grade": case.grade.label,
            "peak_grade": case.peak_grade.label,
            "made_at": iso(now),
            "made_by": made_by,
            "version": self.version,
            "entries": len(file.entries),
            "spans": [[iso(begin), iso(end)] for begin, end in file.spans],
            "samples": written.samples if with_samples else None,
            "attachments_missing": self._missing(file),
            "tags": [site.tags[index].path for index in file.tags],
            "configuration": site.revision,
            "keys": self._public_keys(proof),
        }

    def _missing(self, file: CaseFile) -> list[int]:
        """Attachments whose files are not on disk."""
        return [row["id"] for row in file.attachments if not self.attachments(row["sha256"]).is_file()]

    def _public_keys(self, proof: dict[str, Any]) -> list[str]:
        signers = {head["key"] for head in proof["heads"]}
        known = [key.raw.hex() for key in self.keys.values() if key.fingerprint in signers]
        return sorted({self.key.public.raw.hex(), *known})

    def _members(
        self,
        file: CaseFile,
        proof: dict[str, Any],
        rules: Sequence[dict[str, Any]],
        report: bytes,
        folder: Path,
        *,
        with_samples: bool,
    ) -> list[tuple[str, bytes | Path]]:
        plan = next((one for one in self.settings.response.plans if one.id in _plans(file)), None)
        members: list[tuple[str, bytes | Path]] = [
            ("report.html", report),
            ("journal.jsonl", b"".join(entry.body.encode() + b"\n" for entry in file.entries)),
            ("proof.json", orjson.dumps(proof, option=_JSON)),
            ("ledger.json", orjson.dumps(file.rows, option=_JSON, default=_plain)),
            ("rules.json", orjson.dumps({"revisions": file.revisions, "rules": rules}, option=_JSON, default=_plain)),
            ("plan.json", orjson.dumps(plan, option=_JSON, default=_plain)),
        ]
        if with_samples:
            members += [(CSV, folder / CSV), (PARQUET, folder / PARQUET)]
        missing = self._missing(file)
        for row in file.attachments:
            if row["id"] not in missing:
                path = self.attachments(row["sha256"])
                members.append((f"attachments/{row['id']}-{_file_name(row['name'])}", path))
        return members

    def _write(self, facts: dict[str, Any], members: Sequence[tuple[str, bytes | Path]], out: Path) -> None:
        manifest, signature = build(facts, members, self.key)
        all_members = [(MANIFEST, manifest), (SIGNATURE, signature), *members]
        part = out.with_name(out.name + ".part")
        try:
            with part.open("wb") as file:
                archive.write(file, [(archive.measure(name, content), content) for name, content in all_members])
                file.flush()
                os.fsync(file.fileno())
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)

    async def _rules(self, file: CaseFile) -> list[dict[str, Any]]:
        """Rules of the tags as each revision had them that held meanwhile; as they are now, where none is kept."""
        if not file.revisions:
            return rules_of(file.site, file.tags, None)
        paths = [file.site.tags[index].path for index in file.tags]
        store = RevisionStore(self.engine)
        rows: list[dict[str, Any]] = []
        newest = await store.newest()
        for held in file.revisions[-MOST_REVISIONS:]:
            number = held[revision.c.number.name]
            if newest is not None and number == newest.number:
                rows += rules_of(file.site, file.tags, number)
                continue
            found = await store.find(number)
            try:
                if found is None:
                    continue
                documents = await store.documents(found)
                site = (await asyncio.to_thread(load_revision, self.settings, documents)).site
            except (ConfigurationError, DocumentDamaged) as fault:
                log.warning("a revision cannot be read and is left out", revision=number, reason=str(fault))
                continue
            rows += rules_of(site, [site.tag_index[path] for path in paths if path in site.tag_index], number)
        return rows


def _plans(file: CaseFile) -> set[str]:
    return {str(row.get("plan")) for row in file.rows.get("escalation", ())}


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)[-80:].lstrip(".")


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} has no place in JSON")
