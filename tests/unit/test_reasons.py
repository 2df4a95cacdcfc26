"""Why a grade, in words."""

import pytest

from alerting.incidents.grading import load_grading
from alerting.incidents.reasons import explain
from domain.scales import Level
from tests.unit.test_grading import alarm, graded, table


@pytest.mark.parametrize(
    ("rule", "params", "words"),
    [
        (
            "second_level_two_tags",
            {"grade": "orange", "count": 2, "tags": ["GT-101", "GT-103"]},
            ("同一装置两个独立位号达到二级：GT-101, GT-103", "second level on two independent tags: GT-101, GT-103"),
        ),
        (
            "hazard_source",
            {"level": 1, "steps": 1, "from": "orange", "grade": "red"},
            ("1 级重大危险源：+1", "hazard source level 1: +1"),
        ),
        (
            "decided",
            {"grade": "red", "name": "王芳", "reason": "现场目视"},
            ("王芳 定级为红色：现场目视", "王芳 decided for red: 现场目视"),
        ),
        ("cleared_and_held", {"seconds": 600.0}, ("全部报警恢复已满 600 秒", "all alarms have been out for 600 s")),
        ("of_our_own", {"grade": "red", "tags": ["A", "B"]}, ("of_our_own (grade red, tags A, B)",) * 2),
        ("of_our_own", {}, ("of_our_own", "of_our_own")),
        ("four_blue", {"tags": ["A"]}, ("four_blue (tags A)", "four_blue (tags A)")),  # kept less, once
    ],
)
def test_a_reason_in_words(rule: str, params: dict[str, object], words: tuple[str, str]) -> None:
    assert explain({"rule": rule, "params": params}) == words


def test_every_row_of_the_shipped_table_has_words() -> None:
    for row in load_grading().unit:
        params = {"grade": row.grade.label, "count": 2, "tags": ["T-1"], "seconds": 60.0}
        zh, en = explain({"rule": row.name, "params": params})
        assert row.name not in zh
        assert row.name not in en


def test_a_row_of_a_sites_own_says_itself() -> None:
    says = {"zh": "泵区 {count} 条：{tags}", "en": "{count} in the pump area: {tags}"}
    rows = table({"name": "pumps", "grade": "red", "counts": [{"level": "first", "at_least": 2}], "says": says})
    (reason,) = graded(rows, [alarm(1, Level.H), alarm(2, Level.H)]).verdict(0).reasons
    assert explain(reason) == ("泵区 2 条：T-1, T-2", "2 in the pump area: T-1, T-2")
