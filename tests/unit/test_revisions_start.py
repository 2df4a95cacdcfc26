"""Files and revisions at a start: which of them holds, and what is kept of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from alerting.ledger.ledger import Ledger
from alerting.records import Change
from service import parts
from service.config import load
from service.recovery import recover
from service.revisions.adoption import Adopted, adopt, made_of
from service.revisions.difference import compare
from service.revisions.matching import match
from service.revisions.store import RevisionStore, record
from service.revisions.versions import inherit
from tests.running import main_file, site_of, write_yaml

NOON = 1_750_046_400_000


class Office:
    """A folder with configuration files, a ledger, and whoever changes either."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.limits = {"TI-1": 80, "TI-2": 90}
        self.write()
        write_yaml(folder / "anshao.yaml", main_file(historian={"kind": "duckdb"}))

    def write(self) -> None:
        """The site file as the engineer has it."""
        tags = [
            {
                "tag": tag,
                "measurand": "temperature",
                "engineering_unit": "°C",
                "range": [0, 200],
                "limits": {"H": limit},
            }
            for tag, limit in self.limits.items()
        ]
        write_yaml(self.folder / "site.yaml", site_of([{"id": "plant", "name": "装置", "tags": tags}]))

    @asynccontextmanager
    async def started(self) -> AsyncIterator[tuple[Adopted, Ledger]]:
        """What a start decides; its commit is done."""
        settings = load(self.folder / "anshao.yaml", {})
        settings.data_dir.mkdir(exist_ok=True)
        ledger = Ledger(settings.ledger.url.get_secret_value())
        try:
            await ledger.start()
            adopted = await adopt(settings, RevisionStore(ledger.engine), NOON)
            site = adopted.settings.site
            spool = parts.open_spool(adopted.settings, parts.memory_of(site))
            try:
                engine = parts.make_engine(adopted.settings)
                await recover(adopted.settings, ledger, spool, engine, 120_000, NOON, "1", adopted.note)
            finally:
                spool.close()
            yield adopted, ledger
        finally:
            await ledger.close()

    async def revise_by_api(self, **limits: int) -> None:
        """Somebody changes limits through the API, and not in the files."""
        async with self.started() as (adopted, ledger):
            text = adopted.settings.documents.contents["site.yaml"].decode()
            site = yaml.safe_load(text)
            for tag in site["enterprises"][0]["units"][0]["tags"]:
                tag["limits"]["H"] = limits.get(tag["tag"].replace("-", "_"), tag["limits"]["H"])
            write_yaml(self.folder / "elsewhere" / "site.yaml", site)
            write_yaml(self.folder / "elsewhere" / "anshao.yaml", main_file(historian={"kind": "duckdb"}))
            new = load(self.folder / "elsewhere" / "anshao.yaml", {})
            old, number = adopted.settings, adopted.revision.number + 1
            matching = match(old.site, new.site)
            rules = inherit(old.site, new.site, matching, number)
            counts = compare((old.site, old.documents), (new.site, new.documents), matching, 0).counts
            await RevisionStore(ledger.engine).keep(new.documents)
            change = Change()
            made = made_of(new.documents, number, ("王芳", "tuned", "api"), NOON, counts)
            record(made, new.documents.digests, rules, change)
            await ledger.commit(change)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def limits_of(adopted: Adopted) -> dict[str, tuple[float, int]]:
    """Limit and version of each tag's rule H."""
    site = adopted.settings.site
    rows = [site.rule_row(f"works/{tag.name}/H") for tag in site.tags if tag.enterprise == "works" and not tag.system]
    rules = [site.rules.row(row) for row in rows]
    return {site.tags[rule.tag].name: (rule.setpoint, rule.version) for rule in rules}


async def journaled(ledger: Ledger) -> list[dict[str, Any]]:
    """What the journal says of configurations, in order."""
    bodies = [orjson.loads(entry.body) async for entry in ledger.entries() if entry.kind.startswith("config.")]
    return [{"kind": body["kind"], **body["data"]} for body in bodies]


async def test_the_first_start_makes_the_files_revision_1(office: Office) -> None:
    async with office.started() as (adopted, ledger):
        assert limits_of(adopted) == {"TI-1": (80, 1), "TI-2": (90, 1)}
        store = RevisionStore(ledger.engine)
        newest = await store.newest()
        assert newest is not None
        assert (newest.number, newest.author, newest.source) == (1, "files", "files")
        held = await store.documents(newest)
        assert held.contents == {"site.yaml": (office.folder / "site.yaml").read_bytes()}
        (entry,) = await journaled(ledger)
        assert (entry["kind"], entry["revision"], entry["author"]) == ("config.revised", 1, "files")


async def test_a_start_with_the_same_files_changes_nothing(office: Office) -> None:
    async with office.started():
        pass
    async with office.started() as (adopted, ledger):
        assert (adopted.made, adopted.divergence) == (False, "")
        assert limits_of(adopted) == {"TI-1": (80, 1), "TI-2": (90, 1)}
        assert len(await journaled(ledger)) == 1


async def test_changed_files_become_a_revision_and_only_changed_rules_a_new_version(office: Office) -> None:
    async with office.started():
        pass
    office.limits["TI-2"] = 95
    office.limits["TI-3"] = 70
    office.write()
    for _ in range(2):  # the versions are there after another start as well
        async with office.started() as (adopted, ledger):
            assert limits_of(adopted) == {"TI-1": (80, 1), "TI-2": (95, 2), "TI-3": (70, 2)}
            entries = await journaled(ledger)
            assert [entry["revision"] for entry in entries] == [1, 2]
            assert entries[1]["added"] == {"tag": 1, "rule": 3}
            assert entries[1]["changed"] == {"document": 1, "rule": 1}
            assert entries[1]["removed"] == {}


async def test_a_revision_by_the_api_outlives_restarts_with_the_files_as_they_were(office: Office) -> None:
    async with office.started():
        pass
    await office.revise_by_api(TI_1=85)
    for _ in range(2):
        async with office.started() as (adopted, _ledger):
            assert limits_of(adopted) == {"TI-1": (85, 2), "TI-2": (90, 1)}
            assert adopted.divergence == ""


async def test_where_both_have_changed_the_newest_revision_holds_and_it_is_said_aloud(office: Office) -> None:
    async with office.started():
        pass
    await office.revise_by_api(TI_1=85)
    office.limits["TI-2"] = 95
    office.write()
    async with office.started() as (adopted, ledger):
        assert limits_of(adopted) == {"TI-1": (85, 2), "TI-2": (90, 1)}
        assert "anshao config import" in adopted.divergence
        assert [entry["kind"] for entry in await journaled(ledger)] == ["config.revised", "config.diverged"]


async def test_files_brought_to_the_newest_revision_are_in_step_again(office: Office) -> None:
    async with office.started():
        pass
    await office.revise_by_api(TI_1=85)
    (office.folder / "site.yaml").write_bytes((office.folder / "elsewhere" / "site.yaml").read_bytes())
    async with office.started() as (adopted, _ledger):
        assert (adopted.made, adopted.divergence) == (False, "")
    office.limits |= {"TI-1": 86}
    office.write()
    async with office.started() as (adopted, _ledger):
        assert (adopted.made, adopted.divergence) == (True, "")
        assert limits_of(adopted)["TI-1"] == (86, 3)


async def test_a_revision_that_is_damaged_gives_way_to_the_files_aloud(office: Office) -> None:
    async with office.started():
        pass
    await office.revise_by_api(TI_1=85)
    async with office.started() as (_, ledger), ledger.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE document SET content = CAST('sites: []' AS BLOB)")
    async with office.started() as (adopted, ledger):
        assert "cannot be read" in adopted.divergence
        assert limits_of(adopted) == {"TI-1": (80, 3), "TI-2": (90, 3)}
        assert [entry["kind"] for entry in await journaled(ledger)][-2:] == ["config.revised", "config.diverged"]
