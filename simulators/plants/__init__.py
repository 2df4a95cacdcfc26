"""Plants: small physical models, each of many instances at once, with units and sources."""

from collections.abc import Mapping

from simulators.plants.batch_reactor import BatchReactor
from simulators.plants.coal_face import CoalFace
from simulators.plants.cold_store import ColdStore
from simulators.plants.fireworks_store import FireworksStore
from simulators.plants.gas_release import GasRelease
from simulators.plants.gas_workplace import GasWorkplace
from simulators.plants.pipeline import Pipeline
from simulators.plants.pressure_vessel import PressureVessel
from simulators.plants.protocol import Input, Output, Parameter, Parameters, Plant, PlantFault
from simulators.plants.storage_tank import StorageTank

PLANTS: Mapping[str, type[Plant]] = {
    "batch_reactor": BatchReactor,
    "coal_face": CoalFace,
    "cold_store": ColdStore,
    "fireworks_store": FireworksStore,
    "gas_release": GasRelease,
    "gas_workplace": GasWorkplace,
    "pipeline": Pipeline,
    "pressure_vessel": PressureVessel,
    "storage_tank": StorageTank,
}
"""By kind, as scenarios name them."""

__all__ = ["PLANTS", "Input", "Output", "Parameter", "Parameters", "Plant", "PlantFault"]
