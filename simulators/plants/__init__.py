"""Plants: small physical models, each of many instances at once, with units and sources."""

from collections.abc import Mapping

from simulators.plants.gas_release import GasRelease
from simulators.plants.pipeline import Pipeline
from simulators.plants.pressure_vessel import PressureVessel
from simulators.plants.protocol import Input, Output, Parameter, Parameters, Plant, PlantFault
from simulators.plants.storage_tank import StorageTank

PLANTS: Mapping[str, type[Plant]] = {
    "gas_release": GasRelease,
    "pipeline": Pipeline,
    "pressure_vessel": PressureVessel,
    "storage_tank": StorageTank,
}
"""By kind, as scenarios name them."""

__all__ = ["PLANTS", "Input", "Output", "Parameter", "Parameters", "Plant", "PlantFault"]
