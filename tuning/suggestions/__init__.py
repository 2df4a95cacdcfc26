"""Suggestions for bad actors: alarms that chatter, flash by, stand for days or come all the time."""

from tuning.suggestions.actors import Actor, Trait
from tuning.suggestions.proposals import Effect, Proposal, Remedy, Starting, Suggestion
from tuning.suggestions.run import Suggestions, suggest

__all__ = ["Actor", "Effect", "Proposal", "Remedy", "Starting", "Suggestion", "Suggestions", "Trait", "suggest"]
