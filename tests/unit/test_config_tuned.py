"""Tuned limits: laid over the site files at load, written by change control, and refused with place and remedy."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from service.config import ConfigurationError, Settings, check, load, load_revision
from service.config.documents import DocumentSet
from service.config.tuned import Figures, TunedLimit, duration, write
from tests.running import site_of, write_yaml

RANGE = {"measurand": "temperature", "engineering_unit": "°C", "range": [0, 200]}
TAGS: list[dict[str, Any]] = [
    {
        "tag": "TI-1",
        **RANGE,
        "limits": {"H": 80, "HH": {"setpoint": 100, "deadband": 2}},
        "stuck": {"band": 1, "for": "10min"},
    },
    {
        "tag": "TI-2",
        **RANGE,
        "limits": {"L": 20, "LL": 10},
        "rate": {"rise": {"limit": 5, "per": "1s", "window": "10s"}},
    },
    {"tag": "TI-3", **RANGE, "deviation": {"from": 50, "setpoint": 10}},
    {"tag": "GT-1", "measurand": "h2s", "engineering_unit": "mg/m3", "range": [0, 100]},
    {"tag": "LEL-1", "measurand": "flammable_gas", "species": "CH4", "engineering_unit": "%vol", "range": [0, 5]},
]
RULES = [
    {"key": "ANY", "kind": "vote", "tags": ["TI-1", "TI-2"], "needed": 1, "high": 150, "level": "HH"},
    {"key": "BOTH", "kind": "expression", "when": "TI-1 > 90 and TI-2 > 90", "level": "H"},
]


def configured(folder: Path, *entries: dict[str, Any]) -> Path:
    write_yaml(folder / "site.yaml", site_of([{"id": "tanks", "name": "罐区", "tags": TAGS, "rules": RULES}]))
    limits = [{"enterprise": "works", "name": "李工", "reason": "抖动", **entry} for entry in entries]
    write_yaml(folder / "tuned.yaml", {"limits": limits})
    main = {"sites": ["site.yaml"], "tuned": "tuned.yaml", "historian": {"kind": "duckdb"}}
    return write_yaml(folder / "anshao.yaml", main)


def figures(settings: Settings, path: str) -> Figures:
    return Figures.of(settings.site, settings.site.rule_row(f"works/{path}"))


def test_figures_lie_over_those_of_the_site_files(tmp_path: Path) -> None:
    main = configured(
        tmp_path,
        {"tag": "TI-1", "rule": "H", "setpoint": 85, "on_delay": "5s", "change": 7},
        {"tag": "TI-2", "rule": "RISE", "window": "20s"},
        {"tag": "TI-1", "rule": "STUCK", "setpoint": 2},
        {"tag": "TI-1", "rule": "STALE", "window": "1min"},
        {"tag": "@unit.tanks", "rule": "ANY", "setpoint": 160},
        {"tag": "@unit.tanks", "rule": "BOTH", "on_delay": "10s"},
        {"tag": "GT-1", "rule": "H", "setpoint": 8},
    )
    settings = load(main, {})
    before = load_revision(settings, DocumentSet.of({"sites": ["site.yaml"]}, settings.documents.contents))
    assert figures(settings, "TI-1/H") == Figures(85.0, figures(before, "TI-1/H").deadband, 5_000, 0)
    assert figures(settings, "TI-2/RISE").window == 20_000
    assert figures(settings, "TI-1/STUCK").setpoint == 2.0
    assert figures(settings, "TI-1/STALE") == Figures(window=60_000)
    assert figures(settings, "@unit.tanks/ANY").setpoint == 160.0
    assert figures(settings, "@unit.tanks/BOTH").on_delay == 10_000
    row = settings.site.rule_row("works/GT-1/H")
    assert (before.site.rules.default[row], settings.site.rules.default[row]) == (1, 0)
    tuned = {limit.path: limit for limit in settings.tuned}
    assert tuned["works/TI-1/H"].base == figures(before, "TI-1/H")
    assert (tuned["works/TI-1/H"].change, tuned["works/GT-1/H"].change) == (7, None)
    assert before.tuned == ()
    assert "tuned.yaml" in settings.documents.contents
    assert check([main]) == []


def test_a_converted_default_that_is_tuned_is_no_converted_one_any_more(tmp_path: Path) -> None:
    settings = load(configured(tmp_path, {"tag": "LEL-1", "rule": "H", "setpoint": 1.0}), {})
    row = settings.site.rule_row("works/LEL-1/H")
    assert row not in settings.site.rules.extras or settings.site.rules.extras[row].given == ""
    other = settings.site.rule_row("works/LEL-1/HH")
    assert settings.site.rules.extras[other].given.endswith("%LEL")


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "no enterprise": (
        {"enterprise": "nobody", "tag": "TI-1", "rule": "H", "setpoint": 1},
        "enterprise",
        "no enterprise",
    ),
    "the service itself": (
        {"enterprise": "anshao", "tag": "canary", "rule": "CANARY", "window": "1h"},
        "enterprise",
        "anshao is the service itself: its own conditions cannot be tuned",
    ),
    "no tag": ({"tag": "TI-9", "rule": "H", "setpoint": 1}, "tag", "no tag 'TI-9'"),
    "no rule": ({"tag": "TI-1", "rule": "HHH", "setpoint": 1}, "rule", "no rule 'HHH'"),
    "no such figure": ({"tag": "TI-1", "rule": "H", "window": "1s"}, "window", "has no window"),
    "nothing": ({"tag": "TI-1", "rule": "H"}, "", "changes nothing"),
    "no number": ({"tag": "TI-1", "rule": "H", "setpoint": "high"}, "setpoint", "must be a number"),
    "no duration": ({"tag": "TI-1", "rule": "H", "on_delay": "5x"}, "on_delay", "unknown unit of time"),
    "a delay of days": ({"tag": "TI-1", "rule": "H", "on_delay": "25h"}, "on_delay", "a delay of more than 24 h"),
    "a long off-delay": ({"tag": "TI-1", "rule": "H", "off_delay": "86400001ms"}, "off_delay", "more than 24 h"),
    "a window of months": (
        {"tag": "TI-1", "rule": "STALE", "window": "32d"},
        "window",
        "a window of more than 31 days",
    ),
    "unknown key": ({"tag": "TI-1", "rule": "H", "setpont": 1}, "setpont", "unknown key"),
    "outside the range": ({"tag": "TI-1", "rule": "HH", "setpoint": 201}, "setpoint", "outside the range"),
    "never clears": ({"tag": "TI-1", "rule": "HH", "deadband": 150}, "deadband", "never clear"),
    "low never clears": ({"tag": "TI-2", "rule": "LL", "deadband": 195}, "deadband", "never clear"),
    "out of order": ({"tag": "TI-1", "rule": "H", "setpoint": 120}, "setpoint", "H 120 is not below HH 100"),
    "equal": ({"tag": "TI-2", "rule": "L", "setpoint": 10}, "setpoint", "L 10 is not above LL 10"),
    "rate of nothing": ({"tag": "TI-2", "rule": "RISE", "setpoint": 0}, "setpoint", "above zero"),
    "rate beyond the range": ({"tag": "TI-2", "rule": "RISE", "setpoint": 30}, "setpoint", "could never sound"),
    "rate that never clears": (
        {"tag": "TI-2", "rule": "RISE", "deadband": 5},
        "deadband",
        "not smaller than its limit",
    ),
    "narrow window": ({"tag": "TI-2", "rule": "RISE", "window": "100ms"}, "window", "shorter than the tag's period"),
    "far deviation": ({"tag": "TI-3", "rule": "DEVIATION", "setpoint": 500}, "setpoint", "could never sound"),
    "wide band": ({"tag": "TI-1", "rule": "STUCK", "setpoint": 200}, "setpoint", "below the range's span"),
    "short window": ({"tag": "TI-1", "rule": "STUCK", "window": "1s"}, "window", "3 periods"),
    "early silence": ({"tag": "TI-1", "rule": "STALE", "window": "1s"}, "window", "not longer than"),
    "a vote outside": ({"tag": "@unit.tanks", "rule": "ANY", "setpoint": 300}, "setpoint", "outside the range"),
    "a formula's limit": ({"tag": "@unit.tanks", "rule": "BOTH", "setpoint": 3}, "setpoint", "has no setpoint"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_named_with_its_place_and_a_remedy(tmp_path: Path, what: str) -> None:
    entry, field, message = WRONG[what]
    main = configured(tmp_path, {"tag": "GT-1", "rule": "H", "setpoint": 8}, entry)
    with pytest.raises(ConfigurationError) as refused:
        load(main, {})
    (fault,) = refused.value.faults
    assert (Path(fault.file).name, fault.field) == ("tuned.yaml", f"limits[1].{field}".rstrip("."))
    assert message in fault.message
    assert fault.remedy
    assert fault.line >= 6
    assert check([main]) == [fault]


def test_an_entry_stands_once(tmp_path: Path) -> None:
    entry = {"tag": "TI-1", "rule": "H", "setpoint": 85}
    with pytest.raises(ConfigurationError, match="works/TI-1/H is tuned already in line 2"):
        load(configured(tmp_path, entry, entry), {})


def test_a_tuned_document_that_is_missing_is_a_fault_of_the_main_file(tmp_path: Path) -> None:
    main = configured(tmp_path)
    (tmp_path / "tuned.yaml").unlink()
    with pytest.raises(ConfigurationError, match=r"anshao.yaml.*tuned"):
        load(main, {})


def test_what_change_control_writes_reads_as_it_was(tmp_path: Path) -> None:
    limits = (
        TunedLimit("works/TI-1/H", Figures(85.5, 0.0, 1_500, 0), 7, "李工", "反复报警：\n见记录"),
        TunedLimit("works/TI-1/HH", Figures(on_delay=90_000), None, "x: y", "- 1"),
        TunedLimit("works/@unit.tanks/BOTH", Figures(off_delay=86_400_000), 8, "张强", "'quoted' #"),
    )
    main = configured(tmp_path)
    (tmp_path / "tuned.yaml").write_bytes(write(limits))
    read = load(main, {}).tuned
    assert {(each.path, each.figures, each.change, each.name, each.reason) for each in read} == {
        (each.path, each.figures, each.change, each.name, each.reason) for each in limits
    }
    assert yaml.safe_load(write(())) == {"limits": []}
    (tmp_path / "tuned.yaml").write_bytes(write(()))
    assert load(main, {}).tuned == ()


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "0s"), (1, "1ms"), (1_500, "1500ms"), (5_000, "5s"), (90_000, "90s"), (3_600_000, "1h")],
)
def test_durations_are_written_as_people_do(milliseconds: int, text: str) -> None:
    assert duration(milliseconds) == text
