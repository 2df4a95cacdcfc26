"""A backtest, scored."""

from domain.site import Site
from domain.truth import Truth
from tuning.backtest.result import Backtest, Episodes
from tuning.scoring.against_truth import false_alarms, find_violations, judge_event, judge_promises
from tuning.scoring.figures import of_rules, over_all
from tuning.scoring.result import Score
from tuning.scoring.yardstick import Yardstick


def score(backtest: Backtest, truth: Truth | None, yardstick: Yardstick) -> Score:
    """Score a backtest; see ``score_episodes``."""
    return score_episodes(backtest.site, backtest.episodes, backtest.begin, backtest.end, truth, yardstick)


def score_episodes(
    site: Site, episodes: Episodes, begin: int, end: int, truth: Truth | None, yardstick: Yardstick
) -> Score:
    """Score alarms against the truth and the targets of alarm management. ``begin``, ``end``: of the data, ms UTC.

    Without a truth, or with one that knows of no event and expects nothing, no alarm is called false: then nobody
    knows. A truth without events that names conditions that must not enter says that nothing happened, so every
    alarm is false.
    """
    known = truth is not None and bool(truth.events or truth.expected or truth.never)
    truth = truth or Truth()
    false = false_alarms(site, episodes, truth) if known else None
    rules = of_rules(site, episodes, begin, end, false, yardstick)
    return Score(
        begin=begin,
        end=end,
        outcomes=tuple(judge_event(site, episodes, event) for event in truth.events),
        expected=judge_promises(site, episodes, truth),
        violations=find_violations(site, episodes, truth.never),
        never=len(truth.never),
        false=None if false is None else int(false.sum()),
        rules=rules,
        figures=over_all(rules, episodes, begin, end, yardstick),
    )
