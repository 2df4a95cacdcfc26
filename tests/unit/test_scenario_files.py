"""Scenario files: faults with file, line, field and remedy; the same bytes for the same seed; chunks change nothing."""

import hashlib
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from domain.samples import SampleBlock
from domain.scales import Quality
from domain.site import Site
from service.cli.app import app
from service.cli.simulating import written
from service.config import load_site
from simulators.faults.gateway_faults import GATEWAY_FAULTS
from simulators.faults.instrument_faults import FAULTS
from simulators.scenarios import SITE, ScenarioFault, ScenarioRefused, Simulation, find, load, parse, shipped
from simulators.scenarios.binding import KINDS
from simulators.scenarios.publishing import messages
from tuning.readings.recording import Recording

SMALL = """
name: small
title: {zh: 小, en: small}
story: {zh: 小, en: small}
start: "2026-03-04T22:00:00+08:00"
duration: 10min
plants:
  - id: cloud
    kind: gas_release
    parameters: {detectors: 3}
    tags:
      detector_1: linhai/GT-401
      detector_2: linhai/GT-402
      detector_3: linhai/GT-411
  - id: pumps
    kind: signal
    count: 2
    parameters: {value: 40, unrest: 1}
    tags: {value: "xinhe/II-{n:02}"}
gateways:
  - {gateway: linhai/gw2, latency: 300ms, jitter: 100ms}
timeline:
  - {at: 2min, set: {cloud.release_rate: 2, "pumps[2].value": 60}}
  - {at: 3min, ramp: {"pumps[1].value": 80}, over: 1min}
  - {at: 4min, until: 5min, fault: outage, gateway: linhai/gw2, with: {rate: 40, store: 50}}
  - {at: 1min, until: 2min, fault: dropout, tags: [xinhe/II-02], with: {seconds: 5, per_hour: 200}}
  - {at: 6min, until: 7min, fault: reordering, gateway: xinhe/gw3, with: {share: 0.5, by: 3}}
  - {at: 7min, fault: stuck, tags: ["linhai/GT-41*"], with: {value: 3}}
truth:
  events:
    - {id: leak, title: {zh: 漏, en: leak}, begin: 2min, end: 10min, harm_at: 5min, units: [linhai/loading]}
  expected: [{condition: linhai/GT-401/H, from: 2min, to: 4min}]
  never: ["xinhe/II-*/BAD"]
"""


@pytest.fixture(scope="module")
def site() -> Site:
    return load_site([SITE])


def all_of(simulation: Simulation, steps: int | None = None) -> SampleBlock:
    return SampleBlock.concatenate([chunk.block() for chunk in simulation.chunks(steps)])


def recorded(simulation: Simulation, path: Path, steps: int | None = None) -> str:
    with written(simulation, path) as take:
        for chunk in simulation.chunks(steps):
            take(chunk)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def assert_same(one: SampleBlock, other: SampleBlock) -> None:
    for name in ("tag", "source_time", "received_time", "quality", "reason"):
        assert (getattr(one, name) == getattr(other, name)).all(), name
    assert np.array_equal(one.value, other.value, equal_nan=True)


# ---- what a run makes


def test_the_same_seed_makes_the_same_bytes_and_another_seed_others(site: Site, tmp_path: Path) -> None:
    scenario = parse(SMALL)
    digests = [recorded(Simulation(scenario, site), tmp_path / f"{n}.parquet") for n in range(2)]
    assert digests[0] == digests[1]
    assert recorded(Simulation(scenario, site, seed=2), tmp_path / "2.parquet") != digests[0]


@settings(max_examples=5)
@given(steps=st.integers(5, 700))
def test_how_time_is_cut_changes_nothing(steps: int) -> None:
    site = load_site([SITE]) if not _SITES else _SITES[0]
    _SITES[:] = [site]
    whole = all_of(Simulation(parse(SMALL), site))
    assert_same(all_of(Simulation(parse(SMALL), site), steps), whole)
    assert (np.diff(whole.received_time) >= 0).all()


_SITES: list[Site] = []


def test_a_recording_plays_in_the_order_of_arrival(site: Site, tmp_path: Path) -> None:
    recorded(Simulation(parse(SMALL), site), tmp_path / "small.parquet", steps=37)
    recording = Recording(tmp_path / "small.parquet")
    played = SampleBlock.concatenate(list(recording.read_tags(list(range(len(recording.tags))))))
    assert_same(played, all_of(Simulation(parse(SMALL), site)))
    assert recording.about.truth.expected[0].condition == "linhai/GT-401/H"
    assert recording.about.truth.events[0].harm_at == Simulation(parse(SMALL), site).begin + 300_000


def test_what_happens_happens_where_and_when_the_file_says(site: Site) -> None:
    simulation = Simulation(parse(SMALL), site)
    block = all_of(simulation)
    seconds = (block.source_time - simulation.begin) / 1000.0
    names = [tag.path for tag in simulation.tags]

    def of(path: str) -> tuple[Any, Any, Any]:
        mine = block.tag == names.index(path)
        return seconds[mine], block.value[mine], block.quality[mine]

    time, value, _ = of("xinhe/II-01")
    assert abs(value[time < 180].mean() - 40) < 2
    assert abs(value[time > 240].mean() - 80) < 2
    middle = value[(time > 205) & (time < 215)].mean()
    assert abs(middle - 60) < 4
    time, value, quality = of("xinhe/II-02")
    assert abs(np.nanmean(value[time >= 120]) - 60) < 2
    assert (quality[(time >= 60) & (time < 120)] == Quality.BAD).any()
    assert not (quality[(time < 60) | (time > 126)] == Quality.BAD).any()
    time, value, _ = of("linhai/GT-411")
    assert (value[time >= 420] == 3).all()
    assert simulation.lost == {"linhai/gw2": 10, "linhai/gw1": 0, "xinhe/gw3": 0}


def test_copies_repeat_the_plants_and_only_the_first_has_the_story(site: Site) -> None:
    simulation = Simulation(parse(SMALL), site, copies=3)
    assert len(simulation.tags) == 15
    assert {tag.path for tag in simulation.tags} >= {"xinhe/II-01", "xinhe/II-01~2", "xinhe/II-02~3"}
    block = all_of(simulation)
    names = [tag.path for tag in simulation.tags]
    late = block.source_time > simulation.begin + 300_000
    for path, expected in (("xinhe/II-02", 60), ("xinhe/II-02~2", 40), ("xinhe/II-01~3", 40)):
        assert abs(block.value[late & (block.tag == names.index(path))].mean() - expected) < 2


def test_messages_carry_what_a_block_has(site: Site) -> None:
    chunks = list(Simulation(parse(SMALL), site).chunks())
    block = SampleBlock.concatenate([chunk.block() for chunk in chunks])
    sent = [message for chunk in chunks for message in messages(chunk)]
    assert sum(len(values) for *_, values in sent) == len(block)
    flagged = [each for *_, values in sent for each in values.values() if isinstance(each, dict)]
    for quality in (Quality.BAD, Quality.UNCERTAIN):
        mine = [each["v"] for each in flagged if each["q"] == quality]
        assert len(mine) == (block.quality == quality).sum()
        assert all((value is None) == (quality == Quality.BAD) for value in mine)
    received = [message[0] for message in sent]
    assert received == sorted(received)


# ---- what is wrong in a file


def broken(line: str, by: str) -> str:
    assert line in SMALL
    return SMALL.replace(line, by)


@pytest.mark.parametrize(
    ("text", "field", "line", "says"),
    [
        (broken("duration: 10min", "duration: 10"), "duration", 6, "no duration"),
        (broken("duration: 10min", "duration: 0s"), "duration", 6, "too short"),
        (broken('"2026-03-04T22:00:00+08:00"', "2026-03-04"), "start", 5, "offset"),
        (broken("kind: gas_release", "kind: gas_leak"), "plants[0].kind", 9, "gas_leak"),
        (broken("{detectors: 3}", "{detektors: 3}"), "plants[0].parameters", 10, "detektors"),
        (broken("detector_3: linhai/GT-411", "detector_9: linhai/GT-411"), "plants[0].tags.detector_9", 14, "output"),
        (broken("linhai/GT-411\n", "linhai/GT-999\n"), "plants[0].tags.detector_3", 14, "no tag linhai/GT-999"),
        (broken("linhai/GT-411\n", "linhai/LI-101\n"), "plants[0].tags.detector_3", 14, "%"),
        (broken("II-{n:02}", "II-{m}"), "plants[1].tags.value", 19, "pattern"),
        (broken("cloud.release_rate: 2,", "cloud.release_rat: 2,"), "timeline[0].set.cloud.release_rat", 23, "input"),
        (broken("release_rate: 2,", "release_rate: -2,"), "timeline[0].set.cloud.release_rate", 23, "bounds"),
        (broken("pumps[2]", "pumps[3]"), "timeline[0].set.pumps[3].value", 23, "2 instances"),
        (broken(", over: 1min", ""), "timeline[1]", 24, "over"),
        (broken("fault: outage", "fault: outrage"), "timeline[2].fault", 25, "outrage"),
        (broken("gateway: linhai/gw2, with", "gateway: linhai/gw9, with"), "timeline[2].gateway", 25, "linhai/gw9"),
        (broken("{rate: 40,", "{rate: -4,"), "timeline[2].with.rate", 25, "not possible"),
        (broken("store: 50", "store: 1.5"), "timeline[2].with.store", 25, "int"),
        (broken("{rate: 40,", "{rat: 40,"), "timeline[2].with.rat", 25, "parameter"),
        (broken("tags: [xinhe/II-02]", "tags: [xinhe/II-03]"), "timeline[3].tags[0]", 26, "II-03"),
        (broken("{share: 0.5, by: 3}", "{by: 3}"), "timeline[4].with", 27, "share"),
        (broken("GT-401/H,", "GT-401/HX,"), "truth.expected[0].condition", 32, "HX"),
        (broken("II-*/BAD", "II-*/RISE"), "truth.never[0]", 33, "RISE"),
        (broken("units: [linhai/loading]", "units: [linhai/load]"), "truth.events[0].units[0]", 31, "linhai/load"),
        (broken("gateway: linhai/gw2, latency", "gateway: beihai/gw1, latency"), "gateways[0]", 21, "beihai/gw1"),
        (SMALL + "extra: 1\n", "extra", 34, "not permitted"),
        (SMALL + "name: again\n", "", 34, "twice"),
        (broken("plants:", "plants: ["), "", 8, ""),
        (broken("kind: gas_release", "kind: &a gas_release\n    id: *a"), "", 10, "alias"),
        (broken("duration: 10min", "duration: 10min\nperiod: 5s"), "plants[0].tags.detector_1", 13, "5 s"),
    ],
)
def test_a_fault_names_line_field_and_remedy(text: str, field: str, line: int, says: str, site: Site) -> None:
    with pytest.raises(ScenarioRefused) as refused:
        Simulation(parse(text, "small.yaml"), site)
    fault = next(fault for fault in refused.value.faults if fault.field == field)
    assert (fault.file, fault.line) == ("small.yaml", line)
    assert says in fault.message + fault.remedy
    assert fault.remedy
    assert f"small.yaml:{line}" in str(refused.value)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(max_size=20),
    st.sampled_from(["1e999", "9999999d", "-5s", "{n}", "{0.__class__}", "tank[0].x", "*", "[", "linhai/GT-401/H", []]),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)


@settings(max_examples=80)
@given(value=VALUES, seed=st.integers(0, 2**32))
def test_whatever_stands_in_a_file_is_taken_or_refused_with_its_place(value: Any, seed: int) -> None:
    site = _SITES[0] if _SITES else load_site([SITE])
    _SITES[:] = [site]
    data = yaml.safe_load(SMALL)
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key, child in list(node.items() if isinstance(node, dict) else enumerate(node)):
            places.append((node, key))
            if isinstance(child, (dict, list)):
                walk(child)

    walk(data)
    node, key = random.Random(seed).choice(places)
    node[key] = value
    faults: tuple[ScenarioFault, ...] | None = None
    try:
        Simulation(parse(yaml.safe_dump(data, allow_unicode=True)), site)
    except ScenarioRefused as refused:
        faults = refused.faults
    assert faults != ()
    assert all(fault.message and fault.remedy for fault in faults or ())


@settings(max_examples=60)
@given(text=st.text(max_size=200))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(ScenarioRefused):
        parse(text)


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.yaml", tmp_path):
        with pytest.raises(ScenarioRefused, match="cannot be read"):
            load(path)
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe9")
    with pytest.raises(ScenarioRefused, match="UTF-8"):
        load(tmp_path / "latin.yaml")
    with pytest.raises(ScenarioRefused, match="flange-leak-h2s"):
        find("nonsense")


# ---- the page


def test_the_page_lists_every_scenario_and_its_example_can_be_played(site: Site) -> None:
    page = (Path(__file__).parents[2] / "docs/scenarios.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([a-z0-9-]+)`", page, re.MULTILINE)) == set(shipped())
    example = page.split("```yaml\n")[1].split("```")[0]
    simulation = Simulation(parse(example), site)
    block = all_of(simulation)
    gas = block.value[block.tag == [tag.path for tag in simulation.tags].index("linhai/GT-101")]
    assert gas[:200].max() < 5
    assert gas.max() > 25


# ---- the command


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["simulate", *arguments])
    return done.exit_code, done.output


def test_the_command_lists_writes_and_draws(tmp_path: Path) -> None:
    status, printed = run("--list")
    assert status == 0
    assert all(name in printed for name in shipped())
    out, picture = tmp_path / "leak.parquet", tmp_path / "leak.svg"
    status, printed = run("flange-leak-h2s", "--out", str(out), "--picture", str(picture))
    assert status == 0, printed
    assert "9,000 readings of 6 tags" in printed
    assert Recording(out).about.made_by == "simulate flange-leak-h2s seed 21"
    drawn = picture.read_text("utf-8")
    assert drawn.startswith("<svg")
    assert all(text in drawn for text in ("加氢装置", "H2S-2OO5", "GT-305", "伤害时刻 harm"))


def test_the_command_repeats_plants_up_to_so_many_tags(tmp_path: Path) -> None:
    out = tmp_path / "many.parquet"
    status, printed = run("sensor-drift-over-weeks", "--tags", "30", "--seed", "5", "--out", str(out))
    assert status == 0, printed
    assert len(Recording(out).tags) == 30


@pytest.mark.parametrize("name", [*KINDS, *FAULTS, *GATEWAY_FAULTS])
def test_the_command_describes_plants_and_faults(name: str) -> None:
    status, printed = run("--describe", name)
    assert status == 0
    kind = KINDS.get(name)
    wanted = [*kind.inputs, *kind.outputs, *kind.parameters] if kind else []
    assert all(word in printed for word in wanted)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "--list"),
        (("--describe", "tank"), "storage_tank"),
        (("flange-leak-h2s",), "--out"),
        (("nonsense", "--out", "x.parquet"), "flange-leak-h2s"),
        (("flange-leak-h2s", "--picture", "x.png"), ".svg"),
        (("flange-leak-h2s", "--broker", "http://x"), "mqtt"),
        (("flange-leak-h2s", "--broker", "mqtt://127.0.0.1:1", "--speed", "fast"), "max"),
        (("flange-leak-h2s", "--broker", "mqtt://127.0.0.1:1", "--clock", "now"), "begins-now"),
        (("flange-leak-h2s", "--broker", "mqtt://127.0.0.1:1", "--clock", "source"), "clock: source"),
        (("flange-leak-h2s", "--broker", "mqtt://127.0.0.1:1", "--scale", "2"), "no service knows"),
        (("flange-leak-h2s", "--out", "/nowhere/x.parquet"), "/nowhere/x.parquet"),
    ],
)
def test_the_command_says_what_it_cannot_do(arguments: tuple[str, ...], says: str) -> None:
    status, printed = run(*arguments)
    assert status == 2
    assert says in printed.replace("\n", " ")
