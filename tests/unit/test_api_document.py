"""The OpenAPI document: valid, complete, and true to what is served."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp.web import Application
from openapi_spec_validator import OpenAPIV31SpecValidator
from prometheus_client import CollectorRegistry
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import create_async_engine

from service.api import create_app, examples, incidents_models, models
from service.api.live import LiveHub
from service.api.openapi import document
from service.api.table import ROUTES
from tests.api_service import FakeService

OPERATIONS = [
    (method.upper(), path, operation)
    for path, operations in document()["paths"].items()
    for method, operation in operations.items()
]


@pytest.fixture(scope="module")
def app() -> Application:
    service = FakeService(create_async_engine("sqlite+aiosqlite://"))
    return create_app(service, LiveHub(service), CollectorRegistry())


def test_it_is_valid() -> None:
    OpenAPIV31SpecValidator(document()).validate()


def test_it_describes_all_routes_and_no_others(app: Application) -> None:
    served = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert served == {(method, path) for method, path, _ in OPERATIONS}


def test_operations_are_named_as_the_routes_are(app: Application) -> None:
    assert {operation["operationId"] for _, _, operation in OPERATIONS} == set(app.router.named_resources())


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=[row[2]["operationId"] for row in OPERATIONS])
def test_every_operation_says_what_can_happen(method: str, path: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    placed = {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "path"}
    assert placed == {part[1:-1] for part in path.split("/") if part.startswith("{")}
    needs_token = "security" not in operation
    assert needs_token == ("401" in operation["responses"]) or operation["operationId"] == "begin_session"
    assert (method == "POST") == ("requestBody" in operation)
    for status, answer in operation["responses"].items():
        if status >= "400":
            assert answer == {"$ref": "#/components/responses/Problem"}


def test_numbers_and_lengths_are_bounded_in_words_of_json_schema() -> None:
    parameters = {
        parameter["name"]: parameter for parameter in document()["paths"]["/api/v1/alarms"]["get"]["parameters"]
    }
    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}
    assert parameters["since"]["schema"]["format"] == "date-time"
    assert "null" not in str(parameters)


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (models.Alarm, examples.ALARM),
        (incidents_models.Incident, examples.INCIDENT),
        (models.Entry, examples.ENTRY),
        (models.Health, examples.HEALTH),
        (models.Problem, examples.PROBLEM),
    ],
)
def test_examples_are_of_their_model(model: type[BaseModel], example: dict[str, Any]) -> None:
    model.model_validate(example)


def test_live_messages_are_described() -> None:
    live = document()["paths"]["/api/v1/live"]["get"]
    names = [reference["$ref"].rpartition("/")[2] for reference in live["x-messages"]["fromServer"]["oneOf"]]
    assert names == ["LiveHello", "LiveEntry", "LiveBeyond", "LiveHealth", "LiveReadings"]
    assert set(names) | {"Subscription"} <= document()["components"]["schemas"].keys()


def test_the_guide_names_every_address() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    for route in ROUTES:
        assert f"`{route.method} {route.path.removeprefix('/api/v1')}" in guide, route.path
