"""All shipped scenarios at once through a real broker into the real service: a backtest finds the same transitions."""

import asyncio
import itertools
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from domain.scales import RuleKind
from domain.site import SERVICE_ENTERPRISE, Site
from historian.spool import Spool
from service.cli.simulating import written
from service.config import load
from simulators.link import Link
from simulators.scenarios import SITE, Chunk, Simulation, shipped
from simulators.scenarios import load as load_scenario
from simulators.scenarios.publishing import publish
from tests import servers
from tests.running import Service, api_of, main_file, until
from tuning.backtest.run import backtest
from tuning.readings.recording import About, RecordedTag, Recording, RecordingWriter

COMMANDED = "sensor-dropout"
"""The scenario that is played by the command, the others by what is under it."""
Happened = dict[str, list[tuple[bool, int]]]
"""Of each condition, in their order: whether it entered, and its source time."""


def source_clocked(folder: Path) -> Path:
    """The scenarios' site, with gateways whose times are taken as they are."""
    shutil.copytree(SITE.parent / "points", folder / "points")
    site = yaml.safe_load(SITE.read_text("utf-8"))
    for enterprise in site["enterprises"]:
        for gateway in enterprise["gateways"]:
            gateway["clock"] = "source"
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(site, allow_unicode=True, sort_keys=False), "utf-8")
    return path


def journaled(entries: Iterable[Mapping[str, Any]]) -> Happened:
    """What the service did; a return that was damped is in the journal by itself before."""
    found: Happened = {}
    for entry in sorted(entries, key=lambda one: one["sequence"]):
        data = entry["data"]
        if entry["kind"] not in {"alarm.entered", "alarm.returned", "alarm.damped"} or data.get("damped"):
            continue
        entered = data["condition"] if entry["kind"] == "alarm.damped" else entry["kind"] == "alarm.entered"
        path = f"{entry['enterprise']}/{entry['tag']}/{entry['rule']}"
        found.setdefault(path, []).append((entered, data["source_time"]))
    return found


def backtested(site: Site, recording: Recording) -> Happened:
    transitions = backtest(site, recording).transitions
    found: Happened = {}
    for rule, entered, time in zip(
        transitions.rule.tolist(), transitions.entered.tolist(), transitions.source_time.tolist(), strict=True
    ):
        found.setdefault(site.rule_path(rule), []).append((entered, time))
    return found


def compared(site: Site) -> list[str]:
    """All conditions that readings decide: not silence, which goes by when they came, nor what the service sets."""
    kinds = {RuleKind.STALE, RuleKind.SYSTEM}
    paths = [site.rule_path(row) for row in range(len(site.rules)) if site.rules.kind[row] not in kinds]
    return [path for path in paths if not path.startswith(f"{SERVICE_ENTERPRISE}/")]


def conditions_of(site: Site, tags: set[str]) -> set[str]:
    return {site.rule_path(row) for row in site.rules.looking_at(site.tag_index[path] for path in tags)}


def of_rules(happened: Happened, rules: Iterable[str]) -> Happened:
    return {path: happened[path] for path in rules if path in happened}


def silent_within(happened: Happened, recording: Recording) -> Happened:
    """Silences that began after a tag's first reading and before the last reading of all."""
    found: Happened = {}
    for path, transitions in happened.items():
        tag, _, key = path.rpartition("/")
        index = recording.index_of(tag)
        if key == "STALE" and index is not None and recording.counts[index]:
            first = next(iter(recording.read_tag(index))).received_time[0]
            found[path] = [each for each in transitions if each[0] and first < each[1] <= recording.heard[1]]
    return found


def taken(folder: Path, site: Site, path: Path) -> int:
    """What the service has taken, with the times and in the order in which it did; how many readings."""
    with RecordingWriter(path, About(tuple(RecordedTag(tag.path) for tag in site.tags))) as writer:
        spool = Spool(folder, [tag.path for tag in site.tags], site.revision)
        try:
            for block in spool.recent(0):
                writer.write(block)
        finally:
            spool.close()
        writer.flush()
        return writer.rows


def played(simulation: Simulation, path: Path) -> list[Chunk]:
    """A scenario as a recording, and what it was made of."""
    chunks = []
    with written(simulation, path) as take:
        for chunk in simulation.chunks():
            take(chunk)
            chunks.append(chunk)
    return chunks


def simulate(name: str, site: Path, broker: servers.Broker) -> str:
    """``anshao simulate`` at full speed."""
    command: list[str | Path] = [
        Path(sys.executable).with_name("anshao"), "simulate", name, "--site", site, "--broker", broker.url,
        "--speed", "max", "--clock", "source",
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


async def test_a_backtest_finds_what_the_service_found(tmp_path: Path, broker: servers.Broker) -> None:
    """Exact, both ways, but for silence: what the service found of it a backtest finds, and it may find more.

    Silence goes by received times and by when the service looked at its clock, and the second is in no recording. A
    service that was held up for two seconds, or took a large batch, forgives the silence of all until then
    (``RuleEngine.await_readings``); and a silence that ends between two of its looks, four a second, was none to it,
    while a backtest looks at other instants. On a machine that keeps up with full speed no tag falls silent here at
    all; ``tests/property/test_backtest.py`` compares silence exactly, both ways, with looks that are known.
    """
    main = main_file(broker={"url": broker.url}, historian={"kind": "duckdb"})
    main["sites"] = [str(source_clocked(tmp_path))]
    service = Service.configured(tmp_path / "service", main, {})
    site = load(tmp_path / "service" / "anshao.yaml", {}).site
    simulations = {name: Simulation(load_scenario(path), site) for name, path in shipped().items()}
    chunks = {name: played(one, tmp_path / f"{name}.parquet") for name, one in simulations.items()}
    readings = sum(len(chunk) for made in chunks.values() for chunk in made)
    stations = [station for one in simulations.values() for station in one.stations]
    links = {s.gateway.name: Link(s.enterprise, s.name, broker.host, broker.port) for s in stations}
    service.start()
    try:
        await service.ready()
        await publish(itertools.chain.from_iterable(chunks.values()), links)
        async with api_of(service.url) as api:

            async def stored() -> bool:
                health = await api.get("/health")
                return bool(
                    health["readings"]["total"] >= readings and health["components"]["historian"]["backlog"] == 0
                )

            await until(stored, 120)
            entries = await api.every("/journal")
    finally:
        assert service.stop() == 0
    live = journaled(entries)
    assert taken(tmp_path / "service" / "data" / "spool", site, tmp_path / "taken.parquet") >= readings
    again = await asyncio.to_thread(backtested, site, Recording(tmp_path / "taken.parquet"))
    rules = compared(site)
    assert of_rules(live, rules) == of_rules(again, rules)
    # A service that was held up itself forgives the silence of others meanwhile; a recording knows nothing of that.
    silences = silent_within(live, Recording(tmp_path / "taken.parquet"))
    assert all(each in again.get(path, []) for path, found in silences.items() for each in found)
    for name, simulation in simulations.items():
        recording = Recording(tmp_path / f"{name}.parquet")
        simulated = await asyncio.to_thread(backtested, site, recording)
        tags = {tag.path for tag in simulation.tags}
        mine = [path for path in rules if path in conditions_of(site, tags)]
        assert of_rules(simulated, mine) == of_rules(live, mine), name
        if simulation.truth.expected:
            assert of_rules(simulated, mine), name
