"""T2 and SPE in a site file: the model that they name, and each fault that they can have."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domain.components import digest_of
from domain.scales import Grade, Level, RuleKind
from domain.site import Site
from service.api.rule_views import unit_rules
from service.config import ConfigurationError, check, load, load_revision, load_site
from service.config.documents import DocumentSet
from service.revisions.difference import compare
from service.revisions.matching import match
from tests.components_case import RULE, trained, write_site
from tuning.multivariate.training import Options


def only_rule(site: Site, key: str = "COLUMN-SPE") -> int:
    return site.rule_row(f"works/@unit.column/{key}")


def test_a_rule_takes_limit_period_and_tags_from_its_model(tmp_path: Path) -> None:
    site = load_site([write_site(tmp_path)])
    rule = site.rules.row(only_rule(site))
    made = trained()
    assert (rule.kind, rule.level, rule.grade) == (RuleKind.SPE, Level.H, None)
    assert rule.setpoint == made.spe.limit
    assert rule.deadband == pytest.approx(made.spe.limit / 10)
    assert rule.on_delay == 20_000, "three rounds in a row: the third comes two periods after the first"
    assert rule.extra is not None
    assert [site.tags[tag].name for tag in rule.extra.inputs] == list(made.names)
    assert rule.extra.model is not None
    assert rule.extra.model.retained == 2


def test_what_the_file_says_goes_before_the_model(tmp_path: Path) -> None:
    rules = "key: T, kind: t2, model: models/column.json, limit: 99, deadband: 9, consecutive: 6, grade: yellow"
    site = load_site([write_site(tmp_path, rules)])
    rule = site.rules.row(only_rule(site, "T"))
    assert (rule.kind, rule.setpoint, rule.deadband, rule.on_delay) == (RuleKind.T2, 99, 9, 50_000)
    assert rule.grade is Grade.YELLOW
    site = load_site([write_site(tmp_path, f"{RULE}, on_delay: 1min")])
    assert site.rules.on_delay[only_rule(site)] == 60_000


def test_the_api_tells_of_the_model(tmp_path: Path) -> None:
    site = load_site([write_site(tmp_path)])
    (view,) = unit_rules(site)["works", "column"]
    assert (view["kind"], view["inputs"][0], view["expression"]) == ("spe", "TI-1", None)
    assert view["setpoint"] == trained().spe.limit
    assert view["model"]["components"] == 2
    assert view["model"]["period_ms"] == 10_000


FAULTS = {
    "no model": ("key: X, kind: t2", "model", "`model` is missing"),
    "no such file": ("key: X, kind: t2, model: models/other.json", "model", "cannot read"),
    "orange": (f"{RULE}, grade: orange", "grade", "may raise blue or yellow, never more by itself"),
    "red": (f"{RULE}, grade: red", "grade", "may raise blue or yellow, never more by itself"),
    "a level": (f"{RULE}, level: HH", "level", "unknown key"),
    "both delays": (f"{RULE}, consecutive: 3, on_delay: 1min", "on_delay", "both `consecutive` and `on_delay`"),
    "no round": (f"{RULE}, consecutive: 0", "consecutive", "greater than or equal to 1"),
    "no limit": (f"{RULE}, limit: 0", "limit", "greater than 0"),
    "deadband beyond the given limit": (f"{RULE}, limit: 5, deadband: 5", "deadband", "nothing clears it"),
    "deadband beyond the model's limit": (f"{RULE}, deadband: 1000", "deadband", "nothing clears"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_the_rule(tmp_path: Path, name: str) -> None:
    rules, field, message = FAULTS[name]
    (fault,) = check([write_site(tmp_path, rules)])
    assert fault.field == f"enterprises[0].units[0].rules[0].{field}"
    assert message in fault.message
    assert fault.remedy
    assert fault.line == 11


def _tag(data: dict[str, Any], column: int, **more: object) -> None:
    data["tags"][column] |= more


SPOILT: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "of another kind": (lambda data: data.update(kind="forest"), "not a model of principal components"),
    "of a later format": (lambda data: data.update(format=2), "the model is of format 2, not 1"),
    "with a figure changed": (lambda data: data["limits"]["spe"].update(limit=1.0), "changed after it was trained"),
    "with a key of nobody": (lambda data: data.update(colour="blue"), "unknown key `colour`"),
    "with a tag twice": (lambda data: _tag(data, 1, tag="TI-1"), "a tag stands twice"),
    "with a scale of nothing": (lambda data: _tag(data, 1, scale=0.0), "greater than 0"),
    "with a row short": (lambda data: data["loadings"].pop(), "the loadings are not 5 rows of 5 numbers"),
    "with crooked loadings": (lambda data: data["loadings"].reverse(), ""),
    "with an eigenvalue short": (lambda data: data["eigenvalues"].pop(), "4 eigenvalues for 5 tags"),
    "with none left for SPE": (lambda data: data["components"].update(retained=5), "none is left for SPE"),
    "without variance": (lambda data: data["eigenvalues"].__setitem__(1, 0.0), "a retained component has no variance"),
    "of a tag that is not there": (lambda data: _tag(data, 4, tag="XI-9"), "a tag 'XI-9' that there is not"),
    "of another unit": (lambda data: _tag(data, 2, engineering_unit="MPa"), "PI-1 is in kPa, and was in MPa"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_faults_of_the_model_are_told_where_the_rule_names_it(tmp_path: Path, name: str) -> None:
    path = write_site(tmp_path)
    file = tmp_path / "models" / "column.json"
    data = json.loads(file.read_text("utf-8"))
    spoil, message = SPOILT[name]
    spoil(data)
    if "changed after" not in message and name != "with crooked loadings":
        data["digest"] = digest_of(data)
    if name == "with crooked loadings":
        data["loadings"][0][0] += 0.1
        data["digest"], message = digest_of(data), "the loadings are not orthonormal"
    file.write_text(json.dumps(data), encoding="utf-8")
    (fault,) = check([path])
    assert message in fault.message
    assert fault.field == "enterprises[0].units[0].rules[0].model"
    assert "train" in fault.remedy or "Known" in fault.remedy or "bound" in fault.remedy


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "7", "\ufeff"])
def test_a_file_that_is_no_model_at_all(tmp_path: Path, text: str) -> None:
    path = write_site(tmp_path)
    (tmp_path / "models" / "column.json").write_text(text, encoding="utf-8")
    (fault,) = check([path])
    assert fault.field.endswith("rules[0].model")


def test_the_model_is_a_document_of_the_revision_and_a_new_one_changes_its_rules(tmp_path: Path) -> None:
    write_site(tmp_path, RULE + "}\n          - {key: COLUMN-T2, kind: t2, model: models/column.json")
    main = tmp_path / "anshao.yaml"
    main.write_text("sites: [site.yaml]\nhistorian: {kind: duckdb}\n", encoding="utf-8")
    before = load(main, {})
    assert "models/column.json" in before.documents.contents
    write_site(tmp_path / "other", made=trained(options=Options(smoothing=0.5)))
    content = (tmp_path / "other" / "models" / "column.json").read_bytes()
    held = before.documents
    after = load_revision(before, DocumentSet.of(held.roots, {**held.contents, "models/column.json": content}))
    matching = match(before.site, after.site)
    assert matching.same_tag.all()
    changed = [before.site.rules.key[row] for row in range(len(matching.rows)) if not matching.same_rule[row]]
    assert sorted(changed) == ["COLUMN-SPE", "COLUMN-T2"]
    told = compare((before.site, before.documents), (after.site, after.documents), matching, 10)
    assert {change.name for item in told.items for change in item.fields} >= {"model", "setpoint"}
    same = load_revision(before, held)
    assert match(before.site, same.site).same_rule.all()
    without = {name: text for name, text in held.contents.items() if not name.endswith(".json")}
    with pytest.raises(ConfigurationError, match="no such document"):
        load_revision(before, DocumentSet.of(held.roots, without))


def test_models_are_equal_by_their_digest() -> None:
    one, other = trained().model("a"), trained(options=Options(smoothing=0.5)).model("a")
    assert one == other
    assert one != replace(one, digest="b")
    assert len({one, other}) == 1
    assert "5 tags" in repr(one)
