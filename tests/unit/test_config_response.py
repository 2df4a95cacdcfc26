"""response.yaml, its contacts and its cards: what they mean, and every fault by file, line, field and remedy."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from alerting.response.book import ResponseBook, level_of, place_of
from alerting.response.plans import TIERS, Plan, Step, Who, choose
from domain.scales import Grade
from domain.site import SERVICE_ENTERPRISE
from service.config import check, load
from service.config.faults import Fault, FaultList
from service.config.response_file import read_response, shipped_book
from tests.watched_unit import make_site

ROOT = Path(__file__).parents[2]
SITE = make_site()
CONTACTS = "id,name,post,region\nwang,王芳,duty,370783\nli,李强,duty,370783\n"
CARD = """---
id: own
title: {zh: 自有, en: Own}
source: 本厂
confidence: K
measurands: [h2s]
---
# 自有
"""
GOOD: dict[str, Any] = {
    "public_url": "https://anshao.example/",
    "contacts": "contacts.csv",
    "channels": [{"id": "sms", "kind": "webhook", "url": "https://x.example/{phone}", "secret": "whsec_12345678"}],
    "rosters": [
        {
            "id": "r",
            "region": "370783",
            "start": "2026-01-01",
            "shifts": [
                {"id": "day", "begin": "08:00", "end": "20:00"},
                {"id": "night", "begin": "20:00", "end": "08:00"},
            ],
            "rotation": ["wang", ["li", "wang"]],
        }
    ],
    "plans": [
        {
            "id": "p",
            "grades": ["red"],
            "acknowledge": "1min",
            "feedback": "30min",
            "steps": [
                {
                    "who": {"post": "duty", "of": "county"},
                    "by": ["sms"],
                    "within": "30s",
                    "then": [{"who": {"contact": "li"}}],
                }
            ],
        }
    ],
}


def read(
    folder: Path, data: Any, *, contacts: str = CONTACTS, env: dict[str, str] | None = None
) -> tuple[ResponseBook, list[Fault]]:
    folder.mkdir(exist_ok=True)
    (folder / "contacts.csv").write_text(contacts, encoding="utf-8")
    (folder / "response.yaml").write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")
    faults = FaultList()
    book = read_response(folder / "response.yaml", env or {}, faults, SITE)
    return book, faults.sorted()


def changed(**parts: Any) -> dict[str, Any]:
    return GOOD | parts


def entry(key: str, **parts: Any) -> dict[str, Any]:
    """The good file with one entry of a list changed."""
    return GOOD | {key: [GOOD[key][0] | parts]}


def test_a_file_as_it_should_be(tmp_path: Path) -> None:
    book, faults = read(tmp_path, GOOD)
    assert not faults
    assert book.public_url == "https://anshao.example"
    assert book.channels["sms"].needs == "phone"
    assert book.channels["sms"].url not in repr(book)
    assert [plan.id for plan in book.plans][:2] == ["p", "default-blue"]
    assert [(due.after, due.again) for due in book.plans[0].schedule] == [(0, False), (30_000, False), (300_000, True)]
    assert [contact.id for contact in book.on_duty("r", 1_767_232_800_000)] == ["wang"]  # 2026-01-01 10:00


def test_without_a_file_there_are_default_plans_for_every_tier_ten_cards_and_nobody() -> None:
    book = shipped_book()
    assert len(book.cards) == 10
    for tier in range(1, len(TIERS) + 1):
        plan = book.plan_for(tier, ("370783", "370700"), frozenset())
        assert plan is not None
        assert plan.default
    assert not book.channels
    minutes = {plan.tiers[0]: (plan.acknowledge // 60_000, plan.feedback // 60_000) for plan in book.plans}
    assert [minutes[int(grade)] for grade in Grade] == [(15, 1440), (10, 240), (5, 60), (2, 30)]
    assert [plan.both_sides for plan in book.plans] == [False, False, True, True, True]


def test_secrets_come_from_the_environment(tmp_path: Path) -> None:
    channel = {"id": "sms-2", "kind": "webhook"}
    env = {"ANSHAO_CHANNEL_SMS_2_URL": "https://secret.example/", "ANSHAO_CHANNEL_SMS_2_SECRET": "whsec_87654321"}
    book, faults = read(tmp_path, {"channels": [channel]}, env=env)
    assert not faults
    assert (book.channels["sms-2"].url, book.channels["sms-2"].secret) == ("https://secret.example/", "whsec_87654321")


@pytest.mark.parametrize(
    ("data", "field", "told"),
    [
        ([], "", "must be a mapping"),
        ({"plan": []}, "plan", "unknown key"),
        (changed(contacts="nobody.csv"), "contacts", "cannot read"),
        (changed(public_url="anshao"), "public_url", "not the address"),
        (entry("channels", url="nothing"), "channels[0].url", "not a URL"),
        (entry("channels", url="https://x/{name}"), "channels[0].url", "placeholder"),
        (entry("channels", url="ftp://x"), "channels[0].url", "http"),
        (entry("channels", secret="short"), "channels[0].secret", "needs a secret"),
        (entry("channels", kind="pigeon"), "channels[0].kind", "must be one of"),
        (entry("channels", kind="apprise", url="pigeon://x"), "channels[0].url", "apprise does not know"),
        (changed(channels=GOOD["channels"] * 2), "channels[1].id", "given already"),
        (changed(desks=[{"id": "d", "name": "席", "regions": ["110000"]}]), "desks[0].regions[0]", "no region"),
        (entry("rosters", region="110000"), "rosters[0].region", "no region"),
        (entry("rosters", enterprise="works"), "rosters[0]", "one desk, one region or one enterprise"),
        (entry("rosters", region=None, enterprise="nobody"), "rosters[0].enterprise", "no enterprise"),
        (entry("rosters", region=None, desk="nowhere"), "rosters[0].desk", "no desk"),
        (entry("rosters", rotation=["zhao"]), "rosters[0].rotation[0]", "no contact"),
        (entry("rosters", rotation=[]), "rosters[0].rotation", "must not be empty"),
        (entry("rosters", start="2026-13-01"), "rosters[0].start", "calendar"),
        (
            entry("rosters", shifts=[{"id": "a", "begin": "8", "end": "20:00"}]),
            "rosters[0].shifts[0].begin",
            "time of day",
        ),
        (
            entry("rosters", holidays=[{"first": "2026-10-07", "last": "2026-10-01", "rotation": ["wang"]}]),
            "rosters[0].holidays[0].last",
            "before the first",
        ),
        (
            entry(
                "rosters", substitutes=[{"contact": "wang", "by": "wang", "first": "2026-10-01", "last": "2026-10-01"}]
            ),
            "rosters[0].substitutes[0].by",
            "stand in for itself",
        ),
        (entry("plans", grades=["purple"]), "plans[0].grades[0]", "unknown tier"),
        (entry("plans", hazards=["dust"]), "plans[0].hazards[0]", "unknown hazard"),
        (entry("plans", regions=["110000"]), "plans[0].regions[0]", "no region"),
        (entry("plans", acknowledge="0s"), "plans[0].acknowledge", "zero"),
        (entry("plans", steps=[{"who": {}}]), "plans[0].steps[0].who", "one contact or one post"),
        (entry("plans", steps=[{"who": {"contact": "zhao"}}]), "plans[0].steps[0].who.contact", "no contact"),
        (entry("plans", steps=[{"who": {"post": "duty", "of": "moon"}}]), "plans[0].steps[0].who.of", "not a place"),
        (entry("plans", steps=[{"who": {"post": "duty", "of": "110000"}}]), "plans[0].steps[0].who.of", "no region"),
        (entry("plans", steps=[{"who": {"contact": "li"}, "by": ["fax"]}]), "plans[0].steps[0].by[0]", "no channel"),
        (
            entry("plans", steps=[{"who": {"contact": "li"}, "within": "1min"}]),
            "plans[0].steps[0].within",
            "without `then`",
        ),
        (changed(templates={"subject.fr": "x"}), "templates.subject.fr", "unknown template"),
        (changed(templates={"subject.zh": "{{ grade"}), "templates.subject.zh", "does not work"),
        (changed(templates={"subject.zh": "{{ secret }}"}), "templates.subject.zh", "does not work"),
        (changed(templates={"text.zh": "{{ ''.__class__.__mro__ }}"}), "templates.text.zh", "does not work"),
        (changed(limits={"digest_after": 0}), "limits.digest_after", "greater than or equal"),
        (changed(cards="cards"), "cards", "no card in the folder"),
    ],
)
def test_every_fault_has_its_field_and_a_remedy(tmp_path: Path, data: Any, field: str, told: str) -> None:
    _, faults = read(tmp_path, data)
    found = [fault for fault in faults if fault.field == field]
    assert found, faults
    assert told in found[0].message
    for fault in faults:
        assert fault.remedy
        assert fault.line or not fault.field
        assert "12345678" not in str(fault)


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("# no head", 1, "no head"),
        (CARD.replace("[h2s]", "[h2z]"), 6, "unknown measurand"),
        (CARD.replace("confidence: K", "confidence: X"), 5, "must be one of"),
        (CARD.replace("source: 本厂\n", ""), 2, "is missing"),
        (CARD.partition("# 自有")[0], 8, "no text"),
    ],
)
def test_a_faulty_card_is_named_by_file_and_line(tmp_path: Path, text: str, line: int, told: str) -> None:
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "own.md").write_text(text, encoding="utf-8")
    _, (fault,) = read(tmp_path, changed(cards="cards"))
    assert fault.file.endswith("own.md")
    assert fault.line == line
    assert told in fault.message


def test_a_card_of_the_same_id_replaces_a_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "own.md").write_text(CARD.replace("id: own", "id: h2s"), encoding="utf-8")
    book, faults = read(tmp_path, changed(cards="cards"))
    assert not faults
    assert (len(book.cards), book.cards.by_id["h2s"].title, book.cards.by_id["h2s"].default) == (10, "自有", False)


# ---- cards that are shipped


def test_each_shipped_card_is_chinese_first_with_english_and_says_whose_it_is() -> None:
    for card in shipped_book().cards:
        chinese, _, english = card.text.partition("\n---\n")
        for heading in ("识别", "先保护自己", "立即处置", "撤离", "报告", "禁止"):
            assert f"## {heading}" in chinese, card.id
        for heading in ("Recognise", "Protect yourself", "Act", "Evacuate", "Report", "Do not"):
            assert f"## {heading}" in english, card.id
        assert "须由现场审核" in card.source
        assert "to be reviewed" in card.source
        assert card.confidence == "O"
        assert card.measurands or card.rules


def test_cards_of_an_alarm() -> None:
    book = shipped_book()
    assert [card.id for card in book.cards_for(SITE, "works", "GT-1", "HH")] == ["h2s"]
    assert [card.id for card in book.cards_for(SITE, "works", "PI-1", "HH")] == ["overpressure"]
    assert book.cards_for(SITE, "works", "PI-1", "STALE") == ()
    assert book.cards_for(SITE, "works", "gone", "H") == ()


# ---- which plan, and whose post


def test_the_most_specific_plan_holds() -> None:
    def plan(identity: str, **parts: Any) -> Plan:
        return Plan(identity, (4,), 1, 1, (Step(Who(post="duty")),), **parts)

    plans = [
        plan("any"),
        plan("province", regions=("370000",)),
        plan("county", regions=("370783",)),
        plan("gas", hazards=("toxic",)),
        plan("gas-county", hazards=("toxic",), regions=("370783",)),
    ]
    lineage = ("370783", "370700", "370000")
    for left, best in ((5, "gas-county"), (4, "gas"), (3, "county"), (2, "province"), (1, "any")):
        chosen = choose(plans[:left], 4, lineage, {"toxic"})
        assert chosen is not None
        assert chosen.id == best
    assert choose(plans, 3, lineage, {"toxic"}) is None


@pytest.mark.parametrize(
    ("scope", "lineage", "place"),
    [
        ("county", ("370783", "370700", "370000"), "370783"),
        ("county", ("370783001", "370783", "370700"), "370783"),
        ("city", ("370783", "370700", "370000"), "370700"),
        ("province", ("370783", "370700", "370000"), "370000"),
        ("city", ("370783", "370000"), "370000"),
        ("province", ("370783", "370700"), "370700"),
        ("county", ("370000",), "370000"),
        ("110000", ("370783",), "110000"),
    ],
)
def test_which_region_a_scope_means(scope: str, lineage: tuple[str, ...], place: str) -> None:
    assert place_of(scope, lineage) == place


def test_levels_of_codes() -> None:
    assert [level_of(code) for code in ("370000", "370700", "370783", "370783001")] == [
        "province",
        "city",
        "county",
        "county",
    ]


# ---- with a main file


def test_the_examples_are_valid_together_and_a_channel_is_a_point_of_the_service(tmp_path: Path) -> None:
    for name in ("site.yaml", "response.yaml", "contacts.csv"):
        (tmp_path / name).write_bytes((ROOT / "config" / name).read_bytes())
    (tmp_path / "anshao.yaml").write_text(
        "sites: [site.yaml]\nresponse: response.yaml\nhistorian: {kind: duckdb}\n", encoding="utf-8"
    )
    assert check([tmp_path / "anshao.yaml"], {}) == []
    settings = load(tmp_path / "anshao.yaml", {})
    assert len(settings.response.contacts) == 9
    for channel in settings.response.channels:
        settings.site.rule_row(f"{SERVICE_ENTERPRISE}/channel.{channel}/FAILING")
    assert {"response.yaml", "contacts.csv"} <= settings.documents.contents.keys()


def test_a_fault_in_the_contacts_is_found_by_check(tmp_path: Path) -> None:
    for name in ("site.yaml", "response.yaml"):
        (tmp_path / name).write_bytes((ROOT / "config" / name).read_bytes())
    (tmp_path / "contacts.csv").write_text("id,name,post,region\nwang-fang,王芳,duty,110000\n", encoding="utf-8")
    (tmp_path / "anshao.yaml").write_text(
        "sites: [site.yaml]\nresponse: response.yaml\nhistorian: {kind: duckdb}\n", encoding="utf-8"
    )
    (fault,) = check([tmp_path / "anshao.yaml"], {})
    assert (Path(fault.file).name, fault.line, fault.field) == ("contacts.csv", 2, "region")
