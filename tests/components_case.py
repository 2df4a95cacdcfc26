"""A unit of five tags that two hidden causes move, as rows, as a model, as a site file."""

from pathlib import Path

import numpy as np

from domain.components import ComponentModel
from domain.samples import Float64
from tuning.multivariate.alignment import Table
from tuning.multivariate.artefact import Origin, document_of, write_model
from tuning.multivariate.training import Options, Trained, train

NAMES = ("TI-1", "TI-2", "PI-1", "FI-1", "LI-1")
UNITS = ("°C", "°C", "kPa", "m³/h", "%")
START, PERIOD = 1_750_032_000_000, 10_000
MEANS = np.array([60.0, 55.0, 300.0, 20.0, 50.0])
MIXED = np.array([[2.0, 1.5, 8.0, 0.0, 0.5], [0.0, 0.4, -3.0, 1.0, 2.5]])
SITE = """\
regions: [{code: "370000", name: 山东省}]
enterprises:
  - id: works
    name: 测试厂
    region: "370000"
    gateways: [{id: gw1, name: 网关, clock: source}]
    units:
      - id: column
        name: 精馏塔
        rules:
          - {RULES}
        tags:
          - {tag: TI-1, measurand: temperature, engineering_unit: °C, range: [0, 200], period: 10s}
          - {tag: TI-2, measurand: temperature, engineering_unit: ℃, range: [0, 200], period: 10s}
          - {tag: PI-1, measurand: pressure, engineering_unit: kPa, range: [0, 900], period: 10s, limits: {H: 400}}
          - {tag: FI-1, measurand: flow, engineering_unit: m³/h, range: [0, 100], period: 10s}
          - {tag: LI-1, measurand: level, engineering_unit: "%", range: [0, 100], period: 10s, limits: {LL: off, L: 30}}
"""
RULE = "key: COLUMN-SPE, kind: spe, model: models/column.json"


def rows(count: int, seed: int = 0) -> Float64:
    """Normal operation."""
    random = np.random.default_rng(seed)
    found: Float64 = MEANS + random.normal(size=(count, 2)) @ MIXED + random.normal(0, 0.3, (count, 5))
    return found


def table(value: Float64) -> Table:
    """Rows every ten seconds."""
    return Table(START + np.arange(len(value), dtype=np.int64) * PERIOD, value, PERIOD)


def trained(count: int = 600, options: Options | None = None, seed: int = 0) -> Trained:
    """What these rows teach, without a moving average if nothing else is asked for."""
    return train(table(rows(count, seed)), NAMES, UNITS, options or Options(smoothing=1.0))


def model(options: Options | None = None) -> ComponentModel:
    """The model of them."""
    return trained(options=options).model("digest")


def write_site(folder: Path, rules: str = RULE, made: Trained | None = None) -> Path:
    """A site file with such a unit, and its model beside it."""
    document = document_of(made or trained(), Origin("works/column", "rows", "a test"))
    write_model(folder / "models" / "column.json", document)
    path = folder / "site.yaml"
    path.write_text(SITE.replace("RULES", rules), encoding="utf-8")
    return path
