"""A warning by statistics through the whole service: raised, restarted over, its model replaced, taken back."""

from pathlib import Path
from typing import Any

from tests.components_case import MEANS, NAMES, UNITS, trained
from tests.running import site_of
from tests.scenarios.revising import Revising
from tests.scenarios.shift import on_duty
from tuning.multivariate.artefact import Origin, document_of, write_model
from tuning.multivariate.training import Options

MEASURANDS = ("temperature", "temperature", "pressure", "flow", "level")
QUIET = {"stale": "off", "period": "10s", "limits": {"H": "off", "HH": "off", "L": "off", "LL": "off"}}
WARNING = {"key": "COLUMN-SPE", "kind": "spe", "model": "models/column.json", "grade": "yellow"}
SITE = site_of(
    [
        {
            "id": "column",
            "name": "精馏塔",
            "hazard_level": 1,
            "rules": [WARNING],
            "tags": [
                {"tag": name, "measurand": measurand, "engineering_unit": unit, "range": [0, 900], **QUIET}
                for name, measurand, unit in zip(NAMES, MEASURANDS, UNITS, strict=True)
            ],
        }
    ]
)


def row(**off: float) -> dict[str, Any]:
    """A row of normal operation but for what is added to some tags."""
    return {
        name.replace("-", "_"): mean + off.get(name.replace("-", "_"), 0.0)
        for name, mean in zip(NAMES, MEANS.tolist(), strict=True)
    }


async def test_a_warning_is_yellow_names_its_tags_and_outlives_restart_and_new_model(tmp_path: Path) -> None:
    origin = Origin("works/column", "rows", "a test")
    write_model(tmp_path / "models" / "column.json", document_of(trained(), origin))
    async with on_duty(tmp_path, SITE) as shift:
        assert await shift.reads(0, **row()) == []
        assert await shift.reads(10, **row(TI_1=5.0)) == []
        assert await shift.reads(20, **row(TI_1=5.0)) == [], "two rows are not three"
        assert await shift.reads(30, **row(TI_1=5.0)) == [
            "08:00:30 incident.opened column",
            "08:00:30 alarm.entered @unit.column/COLUMN-SPE",
        ]
        incident = shift.incident("column")
        assert incident.grade.label == "yellow", "a major hazard source of level 1 counts it no higher"
        assert [reason["rule"] for reason in incident.reasons] == ["own_grade", "early_warning"]
        alarm = shift.alarm("@unit.column", "COLUMN-SPE")
        assert alarm is not None
        assert alarm.description.startswith("精馏塔（联合规则）：TI-1 ")
        assert await shift.restarts() == [], "it is in still, and raised once"
        assert await shift.reads(40, **row(TI_1=5.0)) == []
        other = document_of(trained(options=Options(smoothing=0.9)), origin)
        write_model(tmp_path / "models" / "other.json", other)
        revising = Revising(shift, SITE, documents={"models/other.json": tmp_path / "models" / "other.json"})
        await revising.revises(lambda site: retrained(site, "models/other.json"))
        assert shift.state("@unit.column", "COLUMN-SPE") == "unacknowledged", "a new model takes nothing back by itself"
        assert await shift.reads(50, **row(TI_1=5.0)) == []
        assert await shift.reads(60, **row()) == ["08:01:00 alarm.returned @unit.column/COLUMN-SPE"]


def retrained(site: dict[str, Any], model: str) -> None:
    """The rule names another model."""
    site["enterprises"][0]["units"][0]["rules"] = [WARNING | {"model": model}]
