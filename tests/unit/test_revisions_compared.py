"""Two configurations compared: which tags and rules go over, which versions they have, and what is shown of it."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from domain.site import RuleExtra, Site
from service.config import Settings, load, load_revision
from service.config.documents import DocumentSet
from service.revisions.difference import Difference, compare
from service.revisions.matching import Matching, match
from service.revisions.versions import inherit, renew, restore
from tests.running import main_file, site_of, write_yaml

GAS = {"measurand": "h2s", "engineering_unit": "mg/m3", "range": [0, 100]}
HEAT = {"measurand": "temperature", "engineering_unit": "°C", "range": [0, 200]}
UNITS: list[dict[str, Any]] = [
    {
        "id": "tanks",
        "name": "罐区",
        "tags": [
            {"tag": "GT-1", **GAS},
            {"tag": "GT-2", **GAS},
            {"tag": "TI-1", **HEAT, "limits": {"H": 80, "HH": 90}},
            {"tag": "TI-2", **HEAT, "limits": {"H": 80}},
        ],
    },
    {"id": "pumps", "name": "泵房", "hazard_level": 3, "tags": [{"tag": "TI-3", **HEAT, "limits": {"H": 70}}]},
]
Edit = Callable[[list[dict[str, Any]]], Any]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    write_yaml(tmp_path / "site.yaml", site_of(UNITS))
    return load(write_yaml(tmp_path / "anshao.yaml", main_file(historian={"kind": "duckdb"})), {})


def edited(settings: Settings, edit: Edit) -> Settings:
    """The same with the units edited."""
    units = copy.deepcopy(UNITS)
    edit(units)
    text = yaml.safe_dump(site_of(units), allow_unicode=True).encode()
    return load_revision(settings, DocumentSet.of(settings.documents.roots, {"site.yaml": text}))


def shown(old: Settings, new: Settings, limit: int = 1_000) -> Difference:
    matching = match(old.site, new.site)
    return compare((old.site, old.documents), (new.site, new.documents), matching, limit)


def listed(difference: Difference) -> list[tuple[str, str, str]]:
    return [(item.act, item.what, item.path.removeprefix("works/")) for item in difference.items]


def changed_rules(old: Site, new: Site) -> set[str]:
    return {new.rule_path(row).removeprefix("works/") for row in match(old, new).changed_rows(new).tolist()}


def consistent(old: Site, new: Site, matching: Matching) -> None:
    """Tags by path, rules by path, each once."""
    for index, at in enumerate(matching.tags.tolist()):
        assert at == new.tag_index.get(old.tags[index].path, -1)
    rows = {new.rule_path(row): row for row in range(len(new.rules))}
    for row, at in enumerate(matching.rows.tolist()):
        assert at == rows.get(old.rule_path(row), -1)
    assert not matching.same_rule[matching.rows < 0].any()
    assert not matching.same_tag[matching.tags < 0].any()


def reverse(units: list[dict[str, Any]]) -> None:
    units.reverse()
    for unit in units:
        unit["tags"].reverse()


def test_order_is_nothing(settings: Settings) -> None:
    new = edited(settings, reverse)
    matching = match(settings.site, new.site)
    consistent(settings.site, new.site, matching)
    assert matching.same_rule.all()
    assert matching.same_tag.all()
    assert not np.array_equal(matching.tags, np.arange(len(matching.tags)))
    assert listed(shown(settings, new)) == []


def test_the_same_configuration_differs_in_nothing(settings: Settings) -> None:
    assert shown(settings, edited(settings, lambda _: None)).items == ()
    assert shown(settings, settings).is_empty


def test_one_limit(settings: Settings) -> None:
    new = edited(settings, lambda units: units[0]["tags"][2]["limits"].update(H=85))
    assert changed_rules(settings.site, new.site) == {"TI-1/H"}
    found = shown(settings, new)
    assert listed(found) == [("changed", "rule", "TI-1/H")]
    assert [(field.name, field.old, field.new) for field in found.items[0].fields] == [("setpoint", 80.0, 85.0)]
    assert found.counts == {"document": {"changed": 1}, "rule": {"changed": 1}}
    assert "-" in found.documents[0].patch
    consistent(settings.site, new.site, match(settings.site, new.site))


def test_tags_come_and_go_with_their_rules(settings: Settings) -> None:
    def edit(units: list[dict[str, Any]]) -> None:
        del units[0]["tags"][1]
        units[1]["tags"].append({"tag": "TI-4", **HEAT, "limits": {"H": 60}})

    new = edited(settings, edit)
    consistent(settings.site, new.site, match(settings.site, new.site))
    assert changed_rules(settings.site, new.site) == {"TI-4/H", "TI-4/STALE", "TI-4/BAD"}
    found = shown(settings, new)
    assert listed(found) == [("removed", "tag", "GT-2"), ("added", "tag", "TI-4")]
    assert found.counts["rule"] == {"added": 3, "removed": 4}
    assert {field.name: field.new for field in found.items[1].fields}["rules"] == "H 60, STALE, BAD"


def test_a_rule_that_is_new_or_gone_with_its_tag_still_there(settings: Settings) -> None:
    def edit(units: list[dict[str, Any]]) -> None:
        units[0]["tags"][2]["limits"] = {"H": 80, "L": 5}

    found = shown(settings, edited(settings, edit))
    assert listed(found) == [("removed", "rule", "TI-1/HH"), ("added", "rule", "TI-1/L")]


def test_units_and_other_fields(settings: Settings) -> None:
    def edit(units: list[dict[str, Any]]) -> None:
        units[1] |= {"hazard_level": 1, "name": "一号泵房"}
        units[0]["tags"][0]["description"] = "泵区"

    found = shown(settings, edited(settings, edit))
    assert listed(found) == [("changed", "unit", "pumps"), ("changed", "tag", "GT-1")]
    assert {(field.name, field.old, field.new) for field in found.items[0].fields} == {
        ("hazard_level", 3, 1),
        ("name", "泵房", "一号泵房"),
    }


def test_another_engineering_unit_makes_another_tag_of_it(settings: Settings) -> None:
    def edit(units: list[dict[str, Any]]) -> None:
        units[0]["tags"][3] |= {"engineering_unit": "K", "range": [0, 200]}

    new = edited(settings, edit)
    matching = match(settings.site, new.site)
    index = settings.site.tag_index["works/TI-2"]
    assert (matching.tags[index] >= 0, matching.kept_tags[index]) == (True, -1)
    assert changed_rules(settings.site, new.site) == {"TI-2/H", "TI-2/STALE", "TI-2/BAD"}


def test_a_default_that_is_written_out_is_no_change_of_the_rule_but_shows(settings: Settings) -> None:
    new = edited(settings, lambda units: units[0]["tags"][0].update(limits={"H": 10}))
    assert changed_rules(settings.site, new.site) == set()
    found = shown(settings, new)
    assert [(field.name, field.old, field.new) for field in found.items[0].fields] == [("default", True, False)]


def with_extra(site: Site, path: str, extra: RuleExtra | None) -> Site:
    """The same site, where one rule has more than columns hold."""
    made = copy.deepcopy(site)
    extras = dict(made.rules.extras)
    extras.pop(site.rule_row(path), None)
    if extra is not None:
        extras[site.rule_row(path)] = extra
    object.__setattr__(made.rules, "extras", extras)
    return made


def test_inputs_are_compared_by_their_paths_and_not_their_numbers(settings: Settings) -> None:
    new = edited(settings, reverse).site
    path = "works/TI-1/H"

    def inputs(site: Site, *tags: str) -> Site:
        extra = RuleExtra(inputs=tuple(site.tag_index[f"works/{tag}"] for tag in tags), needed=2)
        return with_extra(site, path, extra)

    old = inputs(settings.site, "GT-1", "GT-2")
    assert changed_rules(old, inputs(new, "GT-1", "GT-2")) == set()
    assert changed_rules(old, inputs(new, "GT-1", "TI-2")) == {"TI-1/H"}
    assert changed_rules(old, new) == {"TI-1/H"}
    assert changed_rules(settings.site, inputs(new, "GT-1")) == {"TI-1/H"}
    # The same name, and another meaning.
    other = edited(settings, lambda units: units[0]["tags"][1].update(engineering_unit="ppm")).site
    assert "TI-1/H" in changed_rules(old, inputs(other, "GT-1", "GT-2"))


def test_only_some_are_listed_and_all_are_counted(settings: Settings) -> None:
    def edit(units: list[dict[str, Any]]) -> None:
        for number in range(50):
            units[1]["tags"].append({"tag": f"N-{number}", **HEAT})

    found = shown(settings, edited(settings, edit), 20)
    assert (len(found.items), found.more, found.counts["tag"]) == (20, 30, {"added": 50})


def test_versions_follow_changes_and_are_found_again(settings: Settings) -> None:
    site = settings.site

    def add(units: list[dict[str, Any]]) -> None:
        units[0]["tags"][2]["limits"]["H"] = 85
        units[1]["tags"].append({"tag": "TI-4", **HEAT, "limits": {"H": 60}})

    second = edited(settings, add).site
    changes = [(1, b""), (2, inherit(site, second, match(site, second), 2))]

    def add_and_reverse(units: list[dict[str, Any]]) -> None:
        add(units)
        reverse(units)

    third = edited(settings, add_and_reverse).site
    third.rules.setpoint[third.rule_row("works/TI-4/H")] = 61
    changes.append((3, inherit(second, third, match(second, third), 3)))
    expected = {"TI-1/H": 2, "TI-4/H": 3, "TI-4/STALE": 2, "TI-2/H": 1, "GT-1/H": 1}
    again = edited(settings, add).site
    restore(again, changes)
    for found in (third, again):
        versions = {path: int(found.rules.version[found.rule_row(f"works/{path}")]) for path in expected}
        assert versions == expected
    changes.append((4, renew(again, 4)))
    restore(third, changes)
    assert (third.rules.version == 4).all()


def test_a_setting_of_a_document_that_is_no_site_shows_its_lines(settings: Settings) -> None:
    old = DocumentSet.of({"sites": ["site.yaml"]}, {"cards/gas.md": "# 撤离\n一\n二\n".encode()})
    new = DocumentSet.of(
        {"sites": ["site.yaml", "b.yaml"]}, {"cards/gas.md": "# 撤离\n一\n三\n".encode(), "b.yaml": b""}
    )
    site = settings.site
    found = compare((site, old), (site, new), match(site, site), 10)
    assert {(change.name, change.act) for change in found.documents} == {
        ("b.yaml", "added"),
        ("cards/gas.md", "changed"),
        ("(main file)", "changed"),
    }
    patch = next(change.patch for change in found.documents if change.name == "cards/gas.md")
    assert patch.splitlines()[1:] == [" 一", "-二", "+三"]
