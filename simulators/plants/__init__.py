"""Plants: small physical models, each of many instances at once, with units and sources."""

from collections.abc import Mapping

from simulators.plants.protocol import Input, Output, Parameter, Parameters, Plant, PlantFault

PLANTS: Mapping[str, type[Plant]] = {}
"""By kind, as scenarios name them."""

__all__ = ["PLANTS", "Input", "Output", "Parameter", "Parameters", "Plant", "PlantFault"]
