"""Scenarios: stories of plants, instruments and gateways as YAML, played into readings with the truth beside them."""

from simulators.scenarios.faults import ScenarioFault, ScenarioRefused
from simulators.scenarios.loading import SITE, Scenario, find, load, parse, shipped
from simulators.scenarios.simulation import Chunk, Part, Simulation

__all__ = [
    "SITE",
    "Chunk",
    "Part",
    "Scenario",
    "ScenarioFault",
    "ScenarioRefused",
    "Simulation",
    "find",
    "load",
    "parse",
    "shipped",
]
