"""The state as it was: the register from the ledger, the rules from the last minutes of the spool.

The rules see those readings once more, beginning from the conditions that the register holds. A transition that the
ledger has is known by its time and changes nothing; one that the spool holds and the ledger does not, because the
process died between the two, is found and committed here. Where the two still differ the alarm is kept, or raised:
by rules that have changed since, a condition may be in that left by those of before.
"""

from collections.abc import Callable

import numpy as np

from alerting.alarms.register import Register
from alerting.journal.journal import Journal
from alerting.ledger.ledger import Ledger
from alerting.records import Change
from domain.samples import Int64
from domain.scales import RuleKind
from domain.site import Site
from domain.transitions import Transition
from historian.spool import Spool
from rules.engine import RuleEngine
from service.canary import RULE as CANARY_RULE
from service.config import Settings


async def recover(
    settings: Settings,
    ledger: Ledger,
    spool: Spool,
    engine: RuleEngine,
    memory: int,
    now: int,
    version: str,
    begin: Callable[[Register, int, Change], None] | None = None,
) -> Register:
    """Rebuild the register, and in place the engine's state. Raises LedgerUnavailable, LedgerConflict.

    ``begin`` adds to the start's commit.
    """
    site = settings.site
    # Counted from what is replayed, however long ago that was: the ledger knows its transitions already.
    stopped = min(spool.newest or now, now)
    loaded = await ledger.load(settled_since=stopped - 2 * max(settings.lateness, memory))
    journal = Journal(loaded.sequence, loaded.last_hash)
    register = Register(
        site,
        settings.grading_table,
        journal,
        loaded.alarms,
        loaded.incidents,
        loaded.settled,
        loaded.overlaid,
        settings.alarms.limits,
    )
    change = Change()
    for found in loaded.found:
        register.note(now, found.kind, found.data, change)
    if begin is not None:
        begin(register, now, change)
    register.withdraw_unknown(now, change)
    engine.restore(rows_inside(site, register))
    canary = site.rule_row(CANARY_RULE)
    for block in spool.recent(spool.newest - memory):
        live, _ = engine.split_late(block)
        replayed = [
            transition
            for transition in engine.evaluate(live)
            if transition.rule != canary and site.rules.kind[transition.rule] != RuleKind.STALE
        ]
        register.apply(replayed, now, change)
    register.apply(_found_in(site, engine, register), now, change)
    engine.restore(rows_inside(site, register))
    # Until then the run before was there, as far as anybody can tell: the canary's readings come all the while.
    until = {"until": stopped} if spool.newest else {}
    register.note(now, "service.started", {"version": version, **until}, change)
    await ledger.commit(change)
    return register


def rows_inside(site: Site, register: Register) -> Int64:
    """Rows of the rule table whose condition the register holds for in."""
    paths = [alarm.path for alarm in register.active.values() if alarm.rule_is_in and alarm.drill is None]
    return np.array([site.rule_row(path) for path in paths], dtype=np.int64)


def _found_in(site: Site, engine: RuleEngine, register: Register) -> list[Transition]:
    """Entries, at the newest reading, of the conditions that the rules hold for in and the register for out.

    What brought them in lies before a transition that the register knows already, and changed nothing.
    """
    rows = np.setdiff1d(engine.inside(), rows_inside(site, register))
    rows = rows[(site.rules.kind[rows] != RuleKind.STALE) & (rows != site.rule_row(CANARY_RULE))]
    latest = engine.latest
    found = []
    for row in rows.tolist():
        extra = site.rules.extras.get(row)
        tag = int(site.rules.tag[row])
        tags = [tag, *(extra.inputs if extra is not None else ())]
        source, received = int(latest.source_time[tags].max()), int(latest.received_time[tags].max())
        found.append(
            Transition(row, entered=True, source_time=source, received_time=received, value=float(latest.value[tag]))
        )
    return found
