"""Scenarios of drills: what is read when, and every fault with its line and remedy."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from alerting.desks.drills import Drill
from service.config import ConfigurationError, load
from service.drills import scenario
from service.drills.page import render_report
from service.drills.scenario import Ramp, Step, reading
from tests.unit.test_desks import country

GOOD: dict[str, Any] = {
    "name": "泄漏",
    "units": ["works/tankfarm"],
    "duration": "10min",
    "steps": [
        {"at": "0s", "tag": "works/GT-1", "value": 2},
        {"at": "10s", "tag": "works/GT-1", "ramp": {"to": 12, "over": "10s"}},
        {"at": "60s", "tag": "works/GT-1", "quality": "bad"},
        {"at": "70s", "tag": "works/GT-1", "silent": True},
        {"at": "80s", "tag": "works/GT-1", "value": 1, "quality": "uncertain"},
    ],
    "expected": [{"act": "alarm.acknowledged", "tag": "works/GT-1", "within": "2min"}],
}


def read(folder: Path, **changed: Any) -> scenario.Scenario:
    (folder / "leak.yaml").write_text(yaml.safe_dump(GOOD | changed, allow_unicode=True), encoding="utf-8")
    return scenario.read(folder, "leak", country())


def test_what_a_tag_reads(tmp_path: Path) -> None:
    steps = read(tmp_path).tracks["works/GT-1"]
    assert [reading(steps, second * 1000) for second in (0, 9, 10, 15, 20, 59, 60, 70, 79, 80)] == [
        (2, "good"),
        (2, "good"),
        (2, "good"),
        (7, "good"),
        (12, "good"),
        (12, "good"),
        (12, "bad"),
        None,
        None,
        (1, "uncertain"),
    ]
    assert reading(steps[1:], 5_000) is None


@given(
    st.lists(st.tuples(st.integers(0, 100), st.floats(-50, 50), st.integers(1, 60) | st.none()), min_size=1, max_size=8)
)
def test_a_ramp_never_leaps(parts: list[tuple[int, float, int | None]]) -> None:
    parts = [(0, 0.0, None), *sorted(parts, key=lambda part: part[0])]
    steps = [
        Step(at=f"{at}s", tag="a/b", value=value)
        if over is None
        else Step(at=f"{at}s", tag="a/b", ramp=Ramp(to=value, over=f"{over}s"))
        for at, value, over in parts
    ]
    leaps = {at * 1000 for at, _, over in parts if over is None}
    fastest = max((100 / over for _, _, over in parts if over), default=0.0)
    values = [(at, reading(steps, at)) for at in range(0, 120_000, 500)]
    for (_, before), (at, after) in pairwise(values):
        assert before is not None
        assert after is not None
        if at not in leaps:
            assert abs((after[0] or 0) - (before[0] or 0)) <= fastest * 0.5 + 1e-6


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"units": ["works/nowhere"]}, "units[0]"),
        ({"units": []}, "units"),
        ({"duration": "0s"}, "duration"),
        ({"steps": []}, "steps"),
        ({"steps": [{"at": "0s", "tag": "works/GT-99", "value": 1}]}, "steps[0].tag"),
        ({"steps": [{"at": "0s", "tag": "works/@gw1", "value": 1}]}, "steps[0].tag"),
        ({"steps": [{"at": "0s", "tag": "works/TI-9", "value": 1}]}, "steps[0].tag"),
        ({"steps": [{"at": "0s", "tag": "works/GT-1", "ramp": {"to": 3, "over": "1s"}}]}, "steps[0].ramp"),
        ({"steps": [{"at": "11min", "tag": "works/GT-1", "value": 1}]}, "steps[0].at"),
        ({"steps": [{"at": "0s", "tag": "works/GT-1"}]}, "steps[0]"),
        ({"steps": [{"at": "0s", "tag": "works/GT-1", "value": 1, "silent": True}]}, "steps[0]"),
        ({"steps": [{"at": "0s", "tag": "works/GT-1", "value": "NaN"}]}, "steps[0].value"),
        ({"expected": [{"act": "alarm.shot", "within": "1s"}]}, "expected[0].act"),
        ({"expected": [{"act": "incident.closed", "unit": "works/boiler", "within": "1s"}]}, "expected[0].unit"),
        ({"expected": [{"act": "alarm.acknowledged", "side": "desk", "within": "1s"}]}, "expected[0].side"),
        ({"more": 1}, "more"),
    ],
)
def test_a_fault_names_its_place_and_remedy(tmp_path: Path, changed: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(tmp_path, **changed)
    faults = {fault.field: fault for fault in raised.value.faults}
    assert field in faults
    assert faults[field].line > 0
    assert faults[field].remedy


def test_only_files_of_the_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "drills").mkdir()
    (tmp_path / "secret.yaml").write_text("name: x", encoding="utf-8")
    for identity in ("../secret", "", "leak.yaml", "/etc/passwd", "leak\x00"):
        with pytest.raises(LookupError):
            scenario.read(tmp_path / "drills", identity, country())
    assert scenario.names(tmp_path / "nowhere") == []
    (tmp_path / "drills" / "broken.yaml").write_bytes(b"\xff\xfe: [")
    with pytest.raises(ConfigurationError):
        scenario.read(tmp_path / "drills", "broken", country())


def test_the_demos_scenarios_fit_its_site() -> None:
    settings = load(Path(__file__).parents[2] / "simulators" / "config" / "anshao.yaml", {})
    shipped = scenario.names(settings.drills)
    assert len(shipped) >= 2
    for identity in shipped:
        found = scenario.read(settings.drills, identity, settings.site)
        assert found.file.expected
        assert all(reading(steps, found.file.duration - 1) for steps in found.tracks.values())


def test_a_part_of_the_units_plays_its_own_tags(tmp_path: Path) -> None:
    both = read(
        tmp_path,
        units=["works/tankfarm", "works/boiler"],
        steps=[*GOOD["steps"], {"at": "0s", "tag": "works/TI-9", "value": 9}],
    )
    part = both.of_units(country(), ["works/boiler"])
    assert list(part.tracks) == ["works/TI-9"]
    assert [step["tag"] for step in part.plan(["works/boiler"])["steps"]] == ["works/TI-9"]


def test_names_are_escaped_on_the_page(tmp_path: Path) -> None:
    plan = read(tmp_path).plan(["works/tankfarm"])
    drill = Drill(5, "leak", "<script>alert(1)</script>", ("works/tankfarm",), (), "赵磊", plan, 0, 1)
    report = {"expected": [], "met": 0, "alarms": [], "incidents": [], "seconds": None}
    page = render_report(drill, report, "1").decode()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
