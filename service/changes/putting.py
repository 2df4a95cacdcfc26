"""Changes as entries of the tuned limits: put in, and taken back."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from alerting.refusals import Conflict
from service.changes.change import ChangedRule, RuleChange, row_of
from service.config import Settings
from service.config.tuned import DOCUMENT, Figures, TunedLimit, write
from service.revisions.reviser import Proposal

Entries = tuple[tuple[TunedLimit, ...], dict[str, Any]]
"""Entries of the tuned limits, and those of the changed rules that held before, by path; None: there was none."""


def proposal_of(settings: Settings, limits: tuple[TunedLimit, ...]) -> Proposal:
    """A revision with these tuned limits; where the main file names no document for them, one is added."""
    held = settings.documents
    name = held.roots.get("tuned")
    if name is None:
        name, number = DOCUMENT, 1
        while name in held.contents:
            number += 1
            name = f"tuned-{number}.yaml"
    return Proposal(documents={name: write(limits)}, roots={**held.roots, "tuned": name})


def entries_with(settings: Settings, change: RuleChange, name: str) -> Entries:
    """The tuned limits with those of a change in place of what held. ``name``: who puts it in force."""
    entries = {limit.path: limit for limit in settings.tuned}
    previous: dict[str, Any] = {}
    for rule in change.rules:
        before = entries.get(rule.path)
        previous[rule.path] = None if before is None else _kept(before)
        figures = rule.edit if before is None else rule.edit.over(before.figures)
        entries[rule.path] = TunedLimit(rule.path, figures, change.id, name, change.reason)
    return tuple(entries.values()), previous


def entries_without(settings: Settings, change: RuleChange, name: str, reason: str) -> Entries:
    """The tuned limits without those of a change in force: its rules have the figures from before again.

    Raises Conflict where one of them was changed since.
    """
    entries = {limit.path: limit for limit in settings.tuned}
    live = change.course["live"]
    previous: dict[str, Any] = {}
    for rule in change.rules:
        own = entries.get(rule.path)
        _refuse_changed(settings, change, rule, own)
        previous[rule.path] = None if own is None else _kept(own)
        before = live["previous"].get(rule.path)
        entries.pop(rule.path, None)
        if before is not None:
            entries[rule.path] = _of_kept(rule.path, before)
        base = rule.after if own is None else own.base
        restored = base if before is None else entries[rule.path].figures.over(base)
        missing = _missing(rule.before, restored)
        if missing.given():  # the site file itself says something else by now
            held = Figures() if before is None else entries[rule.path].figures
            entries[rule.path] = TunedLimit(rule.path, missing.over(held), change.id, name, reason)
    return tuple(entries.values()), previous


def _refuse_changed(settings: Settings, change: RuleChange, rule: ChangedRule, own: TunedLimit | None) -> None:
    site = settings.site
    tag = site.tag_index.get(rule.tag_path)
    row = None if tag is None else row_of(site, tag, rule.key)
    if row is None:
        raise Conflict(f"{rule.path} is not there any more, so nothing of change {change.id} can be put back there")
    if own is not None and own.change not in (None, change.id):
        raise Conflict(
            f"{rule.path} was changed since by change {own.change}: roll that one back first, "
            "or propose the figures that you want as a new change"
        )
    if Figures.of(site, row) != rule.after:
        raise Conflict(
            f"{rule.path} has other figures by now than change {change.id} gave it: another revision changed it since. "
            "Propose the figures that you want as a new change"
        )


def _missing(wanted: Figures, restored: Figures) -> Figures:
    had = restored.given()
    differing: Mapping[str, Any] = {name: value for name, value in wanted.given().items() if had.get(name) != value}
    return replace(Figures(), **differing)


def _kept(limit: TunedLimit) -> dict[str, Any]:
    kept = asdict(limit)
    return {name: kept[name] for name in ("figures", "change", "name", "reason")}


def _of_kept(path: str, kept: Mapping[str, Any]) -> TunedLimit:
    return TunedLimit(path, Figures(**kept["figures"]), kept["change"], kept["name"], kept["reason"])
