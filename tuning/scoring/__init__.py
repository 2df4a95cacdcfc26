"""Alarms of a backtest against the truth and against the targets of alarm management."""

from tuning.scoring.result import Outcome, Promise, RuleFigures, Score
from tuning.scoring.score import score, score_episodes
from tuning.scoring.yardstick import Targets, Yardstick

__all__ = ["Outcome", "Promise", "RuleFigures", "Score", "Targets", "Yardstick", "score", "score_episodes"]
