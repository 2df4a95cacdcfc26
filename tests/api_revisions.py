"""Revisions behind the API without a service that could take them: acts check all, and change nothing but a number."""

from pathlib import Path

import yaml
from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.incidents.grading import load_grading
from domain.clock import Clock
from domain.site import Site
from service.config import Settings, load_revision
from service.config.document import parse_document
from service.config.documents import DocumentSet
from service.config.faults import FaultList
from service.config.response_file import shipped_book
from service.config.sections import MainFile
from service.config.settings import settings_of
from service.revisions.adoption import Adopted, made_of
from service.revisions.matching import Matching
from service.revisions.reviser import Note, Reviser
from service.revisions.store import RevisionStore
from tests.running import site_of

MAIN = "sites: [site.yaml]\nhistorian: {kind: duckdb}\n"
POINTS = "tag,measurand,engineering_unit,low,high,H\nTI-1,temperature,°C,0,200,80\nTI-2,temperature,°C,0,200,90\n"


def make_settings(site: Site) -> Settings:
    """A main file, a site file and a point table that are on no disk."""
    text = site_of([{"id": "tanks", "name": "罐区", "tag_tables": ["points/tanks.csv"]}])
    contents = {"site.yaml": yaml.safe_dump(text, allow_unicode=True).encode(), "points/tanks.csv": POINTS.encode()}
    held = DocumentSet.of({"sites": ["site.yaml"]}, contents)
    document = parse_document(Path("/nonexistent/anshao.yaml"), MAIN, FaultList())
    assert document is not None
    main = MainFile.model_validate(document.data)
    return load_revision(settings_of(document, main, site, load_grading(), shipped_book(), held, {}), held)


def make_reviser(ledger: AsyncEngine, clock: Clock, now: int, site: Site) -> Reviser:
    """Revisions that begin with the files of ``make_settings``."""
    settings = make_settings(site)

    async def take(_settings: Settings, _matching: Matching, _note: Note) -> None:
        """Nobody is there to take it."""

    first = made_of(settings.documents, 1, ("files", "first start", "files"), now, {})
    return Reviser(RevisionStore(ledger), Adopted(settings, first), clock, lambda: settings, take)
