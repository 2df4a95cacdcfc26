"""Whatever stands in the files, ``check`` answers with faults and never breaks; what it passes can be loaded."""

import copy
import csv
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.config import Fault, check, load, load_site, shipped
from service.config.point_table import COLUMNS
from service.config.rule_entries import (
    AttributesEntry,
    DeviationEntry,
    LimitEntry,
    LimitsEntry,
    ModeLimitEntry,
    RateEntry,
    RuleEntry,
    StuckEntry,
)
from service.config.sections import (
    BrokerSettings,
    CanarySettings,
    ConsoleSettings,
    HistorianSettings,
    LedgerSettings,
    LogSettings,
    MainFile,
    SpoolSettings,
    TokenSettings,
    WebhookSettings,
)
from service.config.site_file import EnterpriseEntry, GatewayEntry, RegionEntry, SiteFile, TagEntry
from service.config.unit_entries import ExpressionEntry, ModesEntry, ModeSpanEntry, UnitEntry, VoteEntry
from service.config.validation import Section

FUZZ = settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
EXAMPLES = Path(__file__).parents[2] / "config"
EXAMPLE: dict[str, Any] = yaml.safe_load((EXAMPLES / "site.yaml").read_text(encoding="utf-8"))
MODELS = (
    BrokerSettings,
    CanarySettings,
    ConsoleSettings,
    DeviationEntry,
    EnterpriseEntry,
    ExpressionEntry,
    GatewayEntry,
    HistorianSettings,
    LedgerSettings,
    LimitEntry,
    LimitsEntry,
    LogSettings,
    MainFile,
    ModeLimitEntry,
    ModeSpanEntry,
    ModesEntry,
    RateEntry,
    RegionEntry,
    RuleEntry,
    SiteFile,
    SpoolSettings,
    StuckEntry,
    TagEntry,
    TokenSettings,
    UnitEntry,
    VoteEntry,
    WebhookSettings,
)
KEYS = sorted(
    {field.alias or name for model in MODELS for name, field in model.model_fields.items()}
    | {"replay", "columns", "time", "start", "column"}
)
WORDS = [
    *KEYS,
    *shipped().by_key,
    "off",
    "on",
    "H",
    "1s",
    "8GB",
    "370000",
    "ppm",
    "mg/m3",
    "gw1",
    "high",
    "fall",
    "orange",
    "vote",
    "expression",
    "median",
    "22:00",
    "mon-fri",
    "TI-101",
    "TI-101/H",
    "huarui/PI-101/HH",
    "@gw1/LINK",
    "TI-101 > 5 and PI-101 < 3",
    "tankfarm",
    "0.1/30min",
    "H2S",
]

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-5, 2000)
    | st.integers()
    | st.floats()
    | st.sampled_from(WORDS)
    | st.text(max_size=12)
)
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=40,
)


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def assert_whole(faults: list[Fault], lines: int) -> None:
    """Each fault says what and how to mend it, and points into its file."""
    for fault in faults:
        assert fault.message, fault
        assert fault.remedy, fault
        assert 0 <= fault.line <= lines + 1, fault


def check_text(text: str | bytes, name: str = "site.yaml") -> list[Fault]:
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    with folder() as here:
        path = here / name
        path.write_bytes(raw)
        faults = check([path], {})
        assert_whole(faults, len(raw))
        if not faults and b"sites" not in raw:
            assert load_site([path]).tags
        return faults


@FUZZ
@given(st.binary(max_size=200))
def test_bytes(raw: bytes) -> None:
    assert check_text(raw)


@FUZZ
@given(st.text(st.sampled_from("abH:[]{},-&*!|>'\"%@`#?\n\t ~.0123\x00\x85\u2028\ufeff"), max_size=60))
def test_text_of_yaml_signs(text: str) -> None:
    assert check_text(text)
    assert check_text("regions:\n" + text)


@FUZZ
@given(st.dictionaries(st.sampled_from(sorted(SiteFile.model_fields)), trees, min_size=1))
def test_trees_as_site_files(tree: dict[str, Any]) -> None:
    check_text(yaml.safe_dump(tree, allow_unicode=True))


@FUZZ
@given(st.dictionaries(st.sampled_from(sorted(MainFile.model_fields)), trees, min_size=1))
def test_trees_as_main_files(tree: dict[str, Any]) -> None:
    check_text(yaml.safe_dump(tree), "anshao.yaml")


def places(tree: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Ways to every value of a tree."""
    yield way
    if isinstance(tree, dict | list):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from places(value, (*way, key))


@pytest.mark.parametrize("name", ["site.yaml", "anshao.yaml"])
@FUZZ
@given(data=st.data())
def test_examples_with_one_value_replaced_or_removed(name: str, data: st.DataObject) -> None:
    tree = copy.deepcopy(yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8")))
    way = data.draw(st.sampled_from(list(places(tree))[1:]))
    held = tree
    for step in way[:-1]:
        held = held[step]
    if data.draw(st.booleans()):
        held[way[-1]] = data.draw(scalars | trees)
    else:
        del held[way[-1]]
    text = yaml.safe_dump(tree, allow_unicode=True)
    with folder() as here:
        (here / "site.yaml").write_bytes((EXAMPLES / "site.yaml").read_bytes())
        path = here / name
        path.write_text(text, encoding="utf-8")
        faults = check([path], {})
        assert_whole(faults, text.count("\n"))
        if not faults and "regions" in tree:
            assert load_site([path]).tags
        elif not faults:
            assert load(path, {}).site.tags


def keys_of(model: type[Section]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping with keys that a model knows, and values that it may not know what to do with."""
    names = sorted(field.alias or name for name, field in model.model_fields.items())
    values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.sampled_from(WORDS), scalars, max_size=3)
    return st.dictionaries(st.sampled_from(names), values, max_size=len(names))


unit_rules = (
    keys_of(VoteEntry).map(lambda rule: {"key": "A", "kind": "vote", "tags": ["GT-101", "GT-102"], "needed": 1} | rule)
    | keys_of(ExpressionEntry).map(lambda rule: {"key": "B", "kind": "expression", "when": "TI-101 > 3"} | rule)
    | trees
)
tag_keys = st.fixed_dictionaries(
    {},
    optional={
        "species": st.sampled_from(["CH4", "H2S", "Cl2"]) | scalars,
        "re_alarm": scalars,
        "deviation": keys_of(DeviationEntry).map(lambda held: {"setpoint": 5, "from": "TI-102"} | held) | scalars,
        "stuck": keys_of(StuckEntry) | scalars,
        "limits": st.fixed_dictionaries({"H": keys_of(LimitEntry).map(lambda held: {"setpoint": 41} | held)}),
        "stale": keys_of(AttributesEntry) | scalars,
    },
)


@FUZZ
@given(
    st.lists(unit_rules, max_size=3),
    keys_of(ModesEntry) | st.just({"tag": "MODE-101", "values": {"startup": 1}}),
    tag_keys,
    st.integers(0, 7),
)
def test_rules_modes_and_attributes(rules: list[Any], modes: dict[str, Any], keys: dict[str, Any], which: int) -> None:
    tree = copy.deepcopy(EXAMPLE)
    unit = tree["enterprises"][0]["units"][0]
    unit |= {"rules": rules, "modes": modes}
    unit["tags"][which] |= keys
    check_text(yaml.safe_dump(tree, allow_unicode=True))


cells = (
    st.sampled_from(
        ["", "0", "1", "5", "100", "-1", "off", "1s", "0s", "5/min", "true", "nan", "inf", "1e400", "T1", "g1"]
    )
    | st.sampled_from(sorted(shipped().by_key))
    | st.sampled_from(["ppm", "mg/m³", "%vol", "°C"])
    | st.text(max_size=8)
)


@FUZZ
@given(
    st.lists(st.sampled_from(COLUMNS), unique=True, max_size=len(COLUMNS)),
    st.lists(st.lists(cells, min_size=len(COLUMNS), max_size=len(COLUMNS)), max_size=6),
)
def test_cells_of_point_tables(columns: list[str], rows: list[list[str]]) -> None:
    buffer = io.StringIO()
    header = list(dict.fromkeys(["tag", "measurand", *columns]))
    csv.writer(buffer).writerows([header, *([f"T{n}", *row][: len(header)] for n, row in enumerate(rows))])
    check_table(buffer.getvalue().encode("utf-8", "surrogatepass"))


@FUZZ
@given(st.binary(max_size=100) | st.text(st.sampled_from('tagmesurnd,"\r\n\x00;ABC'), max_size=60).map(str.encode))
def test_bytes_as_point_tables(raw: bytes) -> None:
    check_table(raw)
    check_table(b"tag,measurand\r\n" + raw)


def check_table(raw: bytes) -> None:
    with folder() as here:
        site = here / "site.yaml"
        site.write_text(
            'regions: [{code: "370000", name: r}]\nenterprises: [{id: e, name: e, region: "370000",\n'
            "  gateways: [{id: g1, name: g}], units: [{id: u, name: u, tag_tables: [points.csv]}]}]\n",
            encoding="utf-8",
        )
        (here / "points.csv").write_bytes(raw)
        faults = check([site], {})
        assert_whole(faults, len(raw) + 3)
        if not faults:
            rules = load_site([site]).rules
            assert not set(rules.kind.tolist()) - set(range(9))
            for column in (rules.setpoint, rules.deadband):
                assert not (column != column).any()  # noqa: PLR0124 - NaN differs from itself
