"""What a message's template is told of an incident."""

from collections.abc import Sequence
from typing import Any

from alerting.notify.message import GRADES_ZH
from alerting.notify.texts import CODE_MARK
from alerting.records import Alarm, Incident
from alerting.response.book import ResponseBook
from alerting.response.cards import Card
from alerting.response.local_time import local_text
from domain.site import Site

ALARMS_NAMED = 5
"""Alarms that a message names; the others it counts [ours]."""
CARDS_NAMED = 3
CAUSES = {
    "opened": ("新警情", "new incident"),
    "reopened": ("警情重新触发", "incident reopened"),
    "graded": ("预警升级", "grade risen"),
    "escalated": ("上报升级", "escalated"),
    "not_acknowledged": ("超时未确认，上报升级", "not acknowledged in time: escalated"),
    "no_feedback": ("超时未反馈，上报升级", "no feedback in time: escalated"),
    "not_delivered": ("通知未送达，上报升级", "notification not delivered: escalated"),
    "unanswered": ("前一环节未应答", "nobody before you has answered"),
    "repeated": ("仍未确认，再次通知", "still not acknowledged: told again"),
}
"""Reason of a message -> Chinese and English."""
COMMAND_CAUSE = ("市级接管指挥", "the city takes command")


def facts_of(
    book: ResponseBook,
    site: Site,
    incident: Incident,
    members: Sequence[Alarm],
    reason: str,
    acknowledge_by: int | None,
    tier: int,
) -> dict[str, Any]:
    """Fields for ``Templates.message``. ``members``: the incident's alarms that are not normal, in any order."""
    enterprise = site.enterprises.get(incident.enterprise)
    unit = site.units.get((incident.enterprise, incident.unit))
    region = site.regions.get(incident.region)
    ordered = sorted(members, key=lambda alarm: (-alarm.grade, not alarm.condition, alarm.id))
    cards = _cards(book, site, ordered[:ALARMS_NAMED])
    cause_zh, cause_en = CAUSES.get(reason, CAUSES["escalated"])
    if tier > max(GRADES_ZH):
        cause_zh, cause_en = f"{COMMAND_CAUSE[0]}（{cause_zh}）", f"{COMMAND_CAUSE[1]} ({cause_en})"
    return {
        "incident": incident.id,
        "grade": incident.grade.label,
        "grade_zh": GRADES_ZH[incident.grade],
        "tier": tier,
        "cause_zh": cause_zh,
        "cause_en": cause_en,
        "enterprise": enterprise.name if enterprise else incident.enterprise,
        "unit": unit.name if unit else incident.unit,
        "region": region.name if region else incident.region,
        "at": local_text(incident.opened_at),
        "alarms": [_alarm(alarm) for alarm in ordered[:ALARMS_NAMED]],
        "more_alarms": max(0, len(ordered) - ALARMS_NAMED),
        "cards": [card.title for card in cards],
        "cards_en": [card.title_en for card in cards],
        "acknowledge_by": "" if acknowledge_by is None else local_text(acknowledge_by),
        "code": CODE_MARK,
        # After the #, so that neither reaches a server's log.
        "link": f"{book.public_url}/#/incidents/{incident.id}" if book.public_url else "",
        "acknowledge_link": f"{book.public_url}/#/acknowledge?code={CODE_MARK}" if book.public_url else "",
    }


def _alarm(alarm: Alarm) -> dict[str, str]:
    return {
        "tag": alarm.tag,
        "description": alarm.description,
        "level": alarm.level.value,
        "value": "" if alarm.value is None else f"{alarm.value:g}",
        "engineering_unit": alarm.engineering_unit,
        "at": local_text(alarm.entered_at),
    }


def _cards(book: ResponseBook, site: Site, alarms: Sequence[Alarm]) -> list[Card]:
    found: dict[str, Card] = {}
    for alarm in alarms:
        for card in book.cards_for(site, alarm.enterprise, alarm.tag, alarm.rule):
            found.setdefault(card.id, card)
    return list(found.values())[:CARDS_NAMED]
