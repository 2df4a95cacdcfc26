"""What is done to changes, act by act: checked, journaled, and put into the commit.

Each act takes ``actor`` (the caller's token), ``name`` (the person) and what it needs, and raises NotFound or Conflict
with a sentence that says what to do instead. What the book keeps in memory is what the ledger will hold after the
commit: changes that are open, and those in force, which may be rolled back.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import structlog

from alerting.incidents.persons import same_person
from alerting.journal.journal import Journal
from alerting.ledger.changes_schema import rule_change, rule_change_act, rule_change_backtest
from alerting.records import SERVICE, Change
from alerting.refusals import Conflict, NotFound
from domain.site import Site
from service.changes.change import (
    Backtesting,
    ChangedRule,
    InForce,
    RuleChange,
    Scheduled,
    Shadowing,
    Signed,
    Watched,
    moved_since,
)
from service.changes.states import OPEN, Act, ChangeState, refusal, step

log = structlog.get_logger(__name__)

MOST_OPEN = 500
"""Open changes at a time [ours]."""
MOST_IN_SHADOW = 20
"""Changes in shadow at a time: each has an engine of its own [ours]."""
LOST = "the service was started anew, or its ledger was away, in the middle of the backtest; begin it again"
FAULT = "a fault of the service; its log has the details"
_KEPT = OPEN | {ChangeState.LIVE}

Given = ParamSpec("Given")
Result = TypeVar("Result")


def harmless(act: Callable[Given, Result]) -> Callable[Given, Result]:
    """An act of change control as it goes down the pipeline's road: a fault in it is a Conflict, and ends nothing."""

    @wraps(act)
    def guarded(*given: Given.args, **named: Given.kwargs) -> Result:
        try:
            return act(*given, **named)
        except (NotFound, Conflict):
            raise
        except Exception:
            log.exception("an act of change control has failed")
            raise Conflict(FAULT) from None

    return guarded


class ChangeBook:
    """Changes that something may still be done to."""

    def __init__(self, journal: Journal, kept: Iterable[RuleChange] = ()) -> None:
        """``kept``: open changes and those in force, as the ledger has them."""
        self._journal = journal
        self._changes = {each.id: each for each in kept}
        self._begun = False

    # ---- looking

    def get(self, identity: int) -> RuleChange | None:
        """A change that something may still be done to; None: there is none, or it is over."""
        return self._changes.get(identity)

    def in_state(self, *states: ChangeState) -> list[RuleChange]:
        """Changes in some states, oldest first."""
        return [each for _, each in sorted(self._changes.items()) if each.state in states]

    def find(self, identity: int) -> RuleChange:
        """A change that something may still be done to. Raises NotFound."""
        found = self._changes.get(identity)
        if found is None:
            raise NotFound(f"change {identity} is not open")
        return found

    def due(self, now: int) -> list[RuleChange]:
        """Changes that are to be put in force by now."""
        return [
            each for each in self.in_state(*OPEN) if "schedule" in each.course if each.course["schedule"]["due"] <= now
        ]

    def backtesting(self) -> RuleChange | None:
        """The change whose backtest is under way."""
        for each in self._changes.values():
            backtest = each.course.get("backtest")
            if backtest is not None and backtest["state"] == "running":
                return each
        return None

    # ---- acts

    def propose(
        self,
        rules: Sequence[ChangedRule],
        *,
        name: str,
        actor: str,
        reason: str,
        revision: int,
        site: Site,
        now: int,
        change: Change,
    ) -> RuleChange:
        """Propose new figures for some rules. ``revision``: the one that they were read from."""
        if sum(each.state in OPEN for each in self._changes.values()) >= MOST_OPEN:
            raise Conflict(f"{MOST_OPEN} changes are open; reject or withdraw some first")
        moved = moved_since(site, rules)
        if moved:
            raise Conflict(f"{moved}; look at it, and propose again")
        made = RuleChange(0, ChangeState.PROPOSED, name, actor, reason, now, now, revision, tuple(rules))
        data = {
            "name": name,
            "reason": reason,
            "base_revision": revision,
            "rules": [_told(rule) for rule in rules],
            "loosened": made.loosens,
        }
        sequence = self._note(made, "proposed", actor, data, now, change)
        made = replace(made, id=sequence)
        self._keep(made, change)
        change.insert(rule_change_act.name, {"sequence": sequence, "change": sequence})
        return made

    def begin_backtest(
        self,
        identity: int,
        days: int,
        stretch: tuple[int, int],
        name: str,
        actor: str,
        site: Site,
        now: int,
        change: Change,
    ) -> RuleChange:
        """A backtest over a stretch of source time (ms) begins."""
        known = self._allowed(identity, Act.BACKTEST)
        self._refuse_moved(known, site)
        running = self.backtesting()
        if running is not None:
            what = "it" if running.id == identity else f"change {running.id}"
            raise Conflict(f"a backtest of {what} is under way; wait until it has finished")
        begin, end = stretch
        backtest = Backtesting(
            state="running",
            days=days,
            begun_at=now,
            name=name,
            begin=begin,
            end=end,
            ended_at=None,
            detail="",
            sequence=None,
            digest=None,
            readings=0,
            counts={},
        )
        data = {"name": name, "days": days, "begin": begin, "end": end}
        self._act(known, "backtest_begun", actor, data, now, change)
        return self._keep(known.after(now, backtest=backtest), change)

    def finish_backtest(
        self, identity: int, result: str, digest: str, summary: Mapping[str, Any], now: int, change: Change
    ) -> RuleChange:
        """A backtest has finished: ``result``, a JSON text, and its SHA-256. Raises Conflict: it is not wanted now."""
        known = self._allowed(identity, Act.BACKTEST)
        backtest = self._running(known)
        data = {"digest": digest, "days": backtest["days"], **summary}
        sequence = self._act(known, "backtested", SERVICE, data, now, change)
        row = {"sequence": sequence, "change": identity, "result": result, "digest": digest}
        change.insert(rule_change_backtest.name, row)
        finished: Backtesting = {
            **backtest,
            "state": "finished",
            "ended_at": now,
            "sequence": sequence,
            "digest": digest,
            "readings": summary["readings"],
            "counts": dict(summary["counts"]),
        }
        return self._keep(known.after(now, self._to(known, Act.BACKTEST), backtest=finished), change)

    def end_backtest(self, identity: int, state: str, detail: str, now: int, change: Change) -> RuleChange:
        """A backtest has failed, or was interrupted (``state``)."""
        known = self.find(identity)
        backtest = self._running(known)
        self._act(known, f"backtest_{state}", SERVICE, {"detail": detail}, now, change)
        ended: Backtesting = {**backtest, "state": state, "ended_at": now, "detail": detail}
        return self._keep(known.after(now, backtest=ended), change)

    def approve(
        self, identity: int, name: str, actor: str, comment: str, site: Site, now: int, change: Change
    ) -> RuleChange:
        """A second, different person approves."""
        known = self._allowed(identity, Act.APPROVE)
        self._refuse_moved(known, site)
        backtest = known.course.get("backtest")
        if backtest is not None and backtest["state"] == "running":
            raise Conflict(f"the backtest of change {identity} is under way; look at its result first")
        if known.loosens and not known.is_backtested:
            which = ", ".join(rule.path for rule in known.rules if rule.loosened)
            raise Conflict(
                f"change {identity} loosens {which}: alarms could come later, end earlier or not come at all. "
                f"Backtest it first over at least one day (POST /api/v1/changes/{identity}/backtest), look at what it "
                "removes, then approve it"
            )
        if same_person(known.name, name):
            raise Conflict(f"{known.name} proposed change {identity}: a second, different person has to approve it")
        signed = _signed(name, actor, comment, now)
        data: dict[str, Any] = {"name": name, "comment": comment, "proposed_by": known.name}
        if backtest is not None and backtest["digest"]:
            data["backtest"] = backtest["digest"]
        self._act(known, "approved", actor, data, now, change)
        return self._keep(known.after(now, self._to(known, Act.APPROVE), approval=signed), change)

    def reject(self, identity: int, name: str, actor: str, comment: str, now: int, change: Change) -> RuleChange:
        """Somebody is against it."""
        known = self._allowed(identity, Act.REJECT)
        signed = _signed(name, actor, comment, now)
        return self._end(known, Act.REJECT, "rejected", signed, now, change, rejection=signed)

    def withdraw(self, identity: int, name: str, actor: str, comment: str, now: int, change: Change) -> RuleChange:
        """Who proposed it takes it back."""
        known = self._allowed(identity, Act.WITHDRAW)
        if not same_person(known.name, name):
            raise Conflict(f"{known.name} proposed change {identity} and can withdraw it; reject it instead")
        signed = _signed(name, actor, comment, now)
        return self._end(known, Act.WITHDRAW, "withdrawn", signed, now, change, withdrawal=signed)

    def begin_shadow(
        self, identity: int, until: int, name: str, actor: str, comment: str, site: Site, now: int, change: Change
    ) -> RuleChange:
        """Watch it in shadow until a time (ms), from now on; again to begin anew."""
        known = self._allowed(identity, Act.SHADOW)
        self._refuse_moved(known, site)
        if sum(self.is_watched(each) for each in self._changes.values() if each.id != identity) >= MOST_IN_SHADOW:
            raise Conflict(f"{MOST_IN_SHADOW} changes are in shadow; wait until one has ended")
        shadow = Shadowing(
            name=name,
            began_at=now,
            until=until,
            since=now,
            restarts=0,
            ended_at=None,
            detail="",
            readings=0,
            rules={rule.path: _unwatched() for rule in known.rules},
        )
        self._act(known, "shadow_began", actor, {"name": name, "comment": comment, "until": until}, now, change)
        return self._keep(known.after(now, self._to(known, Act.SHADOW), shadow=shadow), change)

    def schedule(
        self, identity: int, due: int, name: str, actor: str, comment: str, site: Site, now: int, change: Change
    ) -> RuleChange:
        """To be put in force at a time (ms); again for another time."""
        known = self.check_apply(identity, site)
        scheduled = Scheduled(name=name, actor=actor, at=now, comment=comment, due=due)
        self._act(known, "scheduled", actor, {"name": name, "comment": comment, "due": due}, now, change)
        return self._keep(known.after(now, schedule=scheduled, not_applied=None), change)

    def check_apply(self, identity: int, site: Site) -> RuleChange:
        """The change, if it can be put in force. Raises NotFound, Conflict."""
        known = self._allowed(identity, Act.APPLY)
        self._refuse_moved(known, site)
        return known

    def applied(self, identity: int, in_force: InForce, now: int, change: Change) -> RuleChange:
        """It is in force by the revision that the same commit makes."""
        known = self._allowed(identity, Act.APPLY)
        data = {"name": in_force["name"], "comment": in_force["comment"], "revision": in_force["revision"]}
        data |= {"rules": [_told(rule) for rule in known.rules]}
        self._act(known, "applied", in_force["actor"], data, now, change)
        shadow = self._ended_shadow(known, "it is in force", now)
        state = self._to(known, Act.APPLY)
        return self._keep(known.after(now, state, live=in_force, schedule=None, shadow=shadow), change)

    def not_applied(self, identity: int, why: str, now: int, change: Change) -> RuleChange:
        """It could not be put in force at its time. Raises NotFound, Conflict: it does not wait for that any more."""
        known = self.find(identity)
        if "schedule" not in known.course:
            raise Conflict(f"change {identity} is to be put in force at no time")
        signed = _signed(SERVICE, SERVICE, why, now)
        self._act(known, "not_applied", SERVICE, {"reason": why}, now, change)
        return self._keep(known.after(now, schedule=None, not_applied=signed), change)

    def check_rollback(self, identity: int) -> RuleChange:
        """The change, if it is in force. Raises NotFound, Conflict."""
        return self._allowed(identity, Act.ROLLBACK)

    def rolled_back(self, identity: int, rollback: InForce, now: int, change: Change) -> RuleChange:
        """The figures from before hold again, by the revision that the same commit makes."""
        known = self._allowed(identity, Act.ROLLBACK)
        data = {"name": rollback["name"], "reason": rollback["comment"], "revision": rollback["revision"]}
        data |= {"rules": [_told(rule, back=True) for rule in known.rules]}
        self._act(known, "rolled_back", rollback["actor"], data, now, change)
        return self._keep(known.after(now, self._to(known, Act.ROLLBACK), rollback=rollback), change)

    # ---- what the watch in shadow tells

    def is_watched(self, known: RuleChange) -> bool:
        """Whether it is in shadow now."""
        shadow = known.course.get("shadow")
        return known.state is ChangeState.SHADOW and shadow is not None and shadow["ended_at"] is None

    def restart_shadow(self, known: RuleChange, now: int, change: Change) -> RuleChange:
        """The service was started anew: what was counted before is no comparison any more."""
        shadow = known.course["shadow"]
        begun: Shadowing = {
            **shadow,
            "since": now,
            "restarts": shadow["restarts"] + 1,
            "readings": 0,
            "rules": {rule.path: _unwatched() for rule in known.rules},
        }
        self._act(
            known, "shadow_restarted", SERVICE, {"until": shadow["until"], "figures": shadow["rules"]}, now, change
        )
        return self._keep(known.after(now, shadow=begun), change)

    def end_shadow(self, known: RuleChange, detail: str, now: int, change: Change) -> RuleChange:
        """The time in shadow is over, or cannot go on."""
        ended = self._ended_shadow(known, detail, now)
        shadow = known.course["shadow"]
        data = {"detail": detail, "figures": shadow["rules"], "readings": shadow["readings"]}
        self._act(known, "shadow_ended", SERVICE, data, now, change)
        return self._keep(known.after(now, shadow=ended), change)

    def note_shadow(
        self,
        known: RuleChange,
        transitions: Sequence[Mapping[str, Any]],
        figures: Mapping[str, Watched],
        readings: int,
        left_out: int,
        now: int,
        change: Change,
    ) -> RuleChange:
        """What would have happened since the last note. No act, and no part of the history."""
        shadow: Shadowing = {**known.course["shadow"], "rules": dict(figures), "readings": readings}
        if transitions or left_out:
            data = {"transitions": list(transitions), "left_out": left_out, "figures": dict(figures)}
            self._note(known, "shadow", SERVICE, data, now, change)
        return self._keep(replace(known, course={**known.course, "shadow": shadow}), change)

    # ---- at the start

    def take_part(self, change: Change, now: int) -> None:
        """See ``Participant``: at the start, backtests that were under way are interrupted."""
        if self._begun:
            return
        self._begun = True
        for known in list(self._changes.values()):
            try:
                if "backtest" in known.course and known.course["backtest"]["state"] == "running":
                    self.end_backtest(known.id, "interrupted", LOST, now, change)
            except Exception:
                log.exception("a backtest that was under way could not be ended", change=known.id)

    # ---- parts of acts

    def _allowed(self, identity: int, act: Act) -> RuleChange:
        known = self.find(identity)
        if step(known.state, act) is None:
            raise Conflict(refusal(identity, known.state, act))
        return known

    def _to(self, known: RuleChange, act: Act) -> ChangeState:
        state = step(known.state, act)
        if state is None:
            raise Conflict(refusal(known.id, known.state, act))
        return state

    def _refuse_moved(self, known: RuleChange, site: Site) -> None:
        moved = moved_since(site, known.rules)
        if moved:
            raise Conflict(f"{moved}, since change {known.id} was proposed: withdraw or reject it, and propose it anew")

    def _running(self, known: RuleChange) -> Backtesting:
        backtest = known.course.get("backtest")
        if backtest is None or backtest["state"] != "running":
            raise Conflict(f"no backtest of change {known.id} is under way")
        return backtest

    def _ended_shadow(self, known: RuleChange, detail: str, now: int) -> Shadowing | None:
        shadow = known.course.get("shadow")
        if shadow is None or shadow["ended_at"] is not None:
            return shadow
        return {**shadow, "ended_at": now, "detail": detail}

    def _end(
        self, known: RuleChange, act: Act, kind: str, signed: Signed, now: int, change: Change, **course: Any
    ) -> RuleChange:
        data = {"name": signed["name"], "comment": signed["comment"]}
        self._act(known, kind, signed["actor"], data, now, change)
        backtest = known.course.get("backtest")
        if backtest is not None and backtest["state"] == "running":
            course["backtest"] = {
                **backtest,
                "state": "interrupted",
                "ended_at": now,
                "detail": f"the change was {kind}",
            }
        shadow = self._ended_shadow(known, f"the change was {kind}", now)
        return self._keep(known.after(now, self._to(known, act), schedule=None, shadow=shadow, **course), change)

    def _act(self, known: RuleChange, kind: str, actor: str, data: Mapping[str, Any], now: int, change: Change) -> int:
        sequence = self._note(known, kind, actor, {**data, "change": known.id}, now, change)
        change.insert(rule_change_act.name, {"sequence": sequence, "change": known.id})
        return sequence

    def _note(self, known: RuleChange, kind: str, actor: str, data: Mapping[str, Any], now: int, change: Change) -> int:
        """Journal an entry; where all rules are of one enterprise, one tag, it says so."""
        told = {"change": known.id, **data} if known.id else data
        parts = [
            (*rule.path.split("/", 1)[:1], rule.tag_path.partition("/")[2], rule.key, rule.unit) for rule in known.rules
        ]
        enterprises, tags, keys, units = ({part[place] for part in parts} for place in range(4))
        alone = len(enterprises) == 1
        entry = self._journal.append(
            now,
            f"change.{kind}",
            actor,
            told,
            enterprise=_only(enterprises),
            unit=_only(units) if alone else None,
            tag=_only(tags) if alone else None,
            rule=_only(keys) if alone and len(tags) == 1 else None,
        )
        change.entries.append(entry)
        return entry.sequence

    def _keep(self, known: RuleChange, change: Change) -> RuleChange:
        row = known.row()
        if known.state in _KEPT:
            self._changes[known.id] = known
        else:
            self._changes.pop(known.id, None)
        rows = change.upserts.setdefault(rule_change.name, [])
        rows[:] = [row for row in rows if row["id"] != known.id]  # one row of a key in one statement
        rows.append(row)
        return known


def _only(held: set[str]) -> str | None:
    return next(iter(held)) if len(held) == 1 else None


def _told(rule: ChangedRule, *, back: bool = False) -> dict[str, Any]:
    """A rule and the figures that change, for the journal."""
    changed = rule.edit.given()
    before, after = rule.before.given(), rule.after.given()
    old, new = (after, before) if back else (before, after)
    told: dict[str, Any] = {"path": rule.path}
    told |= {name: {"old": old.get(name), "new": new.get(name)} for name in changed}
    return told if back else told | {"loosened": list(rule.loosened)}


def _signed(name: str, actor: str, comment: str, now: int) -> Signed:
    return Signed(name=name, actor=actor, at=now, comment=comment)


def _unwatched() -> Watched:
    return Watched(shadow=0, live=0, shadow_in=False, live_in=False)
