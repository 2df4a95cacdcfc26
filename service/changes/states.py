"""The course of a change of rules (变更), as one table.

| state       | backtest   | approve  | reject   | withdraw  | shadow | apply | rollback    |
|-------------|------------|----------|----------|-----------|--------|-------|-------------|
| proposed    | backtested | approved | rejected | withdrawn |        |       |             |
| backtested  | backtested | approved | rejected | withdrawn |        |       |             |
| approved    |            |          | rejected | withdrawn | shadow | live  |             |
| shadow      |            |          | rejected | withdrawn | shadow | live  |             |
| live        |            |          |          |           |        |       | rolled_back |
| rolled_back |            |          |          |           |        |       |             |
| rejected    |            |          |          |           |        |       |             |
| withdrawn   |            |          |          |           |        |       |             |

An empty cell: the act is not possible. What else must be true: a change that loosens a rule is approved only with a
finished backtest, and by another person than the one who proposed it; only who proposed it withdraws it; and every act
but the last ones wants the rules to be as they were when the change was proposed. ``backtest`` is the one that has
finished. ``apply`` with a time leaves the state as it is until then.
"""

from enum import StrEnum


class ChangeState(StrEnum):
    """Where a change stands."""

    PROPOSED = "proposed"
    """已提出."""
    BACKTESTED = "backtested"
    """已回测."""
    APPROVED = "approved"
    """已批准."""
    SHADOW = "shadow"
    """试运行: evaluated beside the rules in force, journaled, paging nobody."""
    LIVE = "live"
    """已生效."""
    ROLLED_BACK = "rolled_back"
    """已回退."""
    REJECTED = "rejected"
    """已驳回."""
    WITHDRAWN = "withdrawn"
    """已撤回."""


class Act(StrEnum):
    """What can be done to a change."""

    BACKTEST = "backtest"
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    SHADOW = "shadow"
    APPLY = "apply"
    ROLLBACK = "rollback"


_S, _A = ChangeState, Act

TABLE: dict[tuple[ChangeState, Act], ChangeState] = {
    (_S.PROPOSED, _A.BACKTEST): _S.BACKTESTED,
    (_S.PROPOSED, _A.APPROVE): _S.APPROVED,
    (_S.PROPOSED, _A.REJECT): _S.REJECTED,
    (_S.PROPOSED, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.BACKTESTED, _A.BACKTEST): _S.BACKTESTED,
    (_S.BACKTESTED, _A.APPROVE): _S.APPROVED,
    (_S.BACKTESTED, _A.REJECT): _S.REJECTED,
    (_S.BACKTESTED, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.APPROVED, _A.REJECT): _S.REJECTED,
    (_S.APPROVED, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.APPROVED, _A.SHADOW): _S.SHADOW,
    (_S.APPROVED, _A.APPLY): _S.LIVE,
    (_S.SHADOW, _A.REJECT): _S.REJECTED,
    (_S.SHADOW, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.SHADOW, _A.SHADOW): _S.SHADOW,
    (_S.SHADOW, _A.APPLY): _S.LIVE,
    (_S.LIVE, _A.ROLLBACK): _S.ROLLED_BACK,
}
OPEN = frozenset({_S.PROPOSED, _S.BACKTESTED, _S.APPROVED, _S.SHADOW})
"""States in which the change may still come into force."""


def step(state: ChangeState, act: Act) -> ChangeState | None:
    """State after an act; None where it is not possible."""
    return TABLE.get((state, act))


def next_acts(state: ChangeState) -> list[Act]:
    """The acts that a state allows."""
    return [act for act in Act if (state, act) in TABLE]


def refusal(identity: int, state: ChangeState, act: Act) -> str:
    """Why an act is not possible in a state, and what to do instead."""
    return f"change {identity} is {_STANDS[state]}: {_INSTEAD[act]}"


_STANDS = {
    ChangeState.PROPOSED: "proposed and not approved",
    ChangeState.BACKTESTED: "backtested and not approved",
    ChangeState.APPROVED: "approved",
    ChangeState.SHADOW: "approved and in shadow",
    ChangeState.LIVE: "in force",
    ChangeState.ROLLED_BACK: "rolled back",
    ChangeState.REJECTED: "rejected",
    ChangeState.WITHDRAWN: "withdrawn",
}
_INSTEAD = {
    Act.BACKTEST: "a backtest comes before the approval; propose it anew to try it on other days",
    Act.APPROVE: "nothing is to be approved",
    Act.REJECT: "roll it back if it is in force",
    Act.WITHDRAW: "roll it back if it is in force",
    Act.SHADOW: "it is watched in shadow between its approval and its coming into force",
    Act.APPLY: "approve it first; what is in force or over is proposed anew",
    Act.ROLLBACK: "only a change in force is rolled back; reject or withdraw this one",
}
