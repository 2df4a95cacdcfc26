"""Schemathesis over every operation of the OpenAPI document: the real service, three callers, data right and wrong.

The service neither fails nor answers what its document does not say, and every refusal says what to do. A WebSocket is
out of Schemathesis' reach: ``live`` is asked as plain HTTP only; ``tests/unit/test_api_live.py`` speaks to it.

Here is a little of it for each operation. Much of it, of a seed of one's own::

    pytest tests/integration/test_api_schema.py --api-examples 40 --hypothesis-seed 7 -s -o faulthandler_timeout=0
"""

import copy
import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import hypothesis
import schemathesis
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service.api.openapi import document
from service.api.problems import MEDIA_TYPE
from tests.asked_service import PATIENCE, PNG, Asked, Caller, asked_service

CHECKS = [status_code_conformance, content_type_conformance, response_headers_conformance, response_schema_conformance]
REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
"""Answers that come before an operation is reached."""

schemathesis.openapi.media_type("image/png", st.sampled_from([PNG, PNG[:40], b""]))
schemathesis.openapi.media_type("text/csv", st.sampled_from([Path("config/contacts.csv").read_bytes(), b"id,name\n1"]))


@dataclass
class Tried:
    """What came of all requests."""

    answers: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    """Statuses by operation."""
    faults: dict[tuple[str, ...], str] = field(default_factory=dict)
    """By operation and kind: the first of each."""

    def told(self) -> str:
        """All faults, to be read."""
        return "\n\n".join(f"== {' / '.join(kind)}\n{shown}" for kind, shown in sorted(self.faults.items()))

    def check(self, name: str, case: Any, answer: Any, caller: Caller) -> None:
        """What is to be held against an answer."""
        status = answer.status_code
        self.answers[name][status] += 1
        shown = f"{caller.name}: {case.as_curl_command()}\n{status} {answer.content[:600].decode(errors='replace')}"
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:  # nothing that the service stands on is away: no 503 either
            self.faults.setdefault((name, "server error", str(status)), shown)
        if status >= HTTPStatus.BAD_REQUEST and not is_problem(answer):
            self.faults.setdefault((name, "no problem document"), shown)
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            for failure in group.exceptions:
                self.faults.setdefault((name, type(failure).__name__, str(status)), f"{failure}\n{shown}")


def is_problem(answer: Any) -> bool:
    """Whether a refusal says what is wrong, as a problem document."""
    try:
        body = answer.json()
    except ValueError:
        return False
    kind = answer.headers.get("content-type", [""])[0].partition(";")[0]
    told = isinstance(body, dict) and body.get("status") == answer.status_code and str(body.get("detail", "")).strip()
    return kind == MEDIA_TYPE and bool(told)


def example_of(operation: APIOperation[Any, Any, Any, Any], described: Mapping[str, Any]) -> list[Any]:
    """The bodies that the document shows for an operation."""
    for content in operation.definition.raw.get("requestBody", {}).get("content", {}).values():
        name = content["schema"].get("$ref", "").rpartition("/")[2]
        if name:
            return list(described["components"]["schemas"][name].get("examples", ()))
    return []


@dataclass
class Asking:
    """One caller's requests for one operation."""

    operation: APIOperation[Any, Any, Any, Any]
    caller: Caller
    asked: Asked
    shown: list[Any]
    """Bodies that the document shows."""
    tried: Tried
    count: int = 0

    @property
    def name(self) -> str:
        """Of the operation."""
        return str(self.operation.definition.raw["operationId"])

    def ask(self, case: Any, number: int, mode: GenerationMode) -> None:
        """One request. Every third has a body that the document shows, three of four name what is there."""
        self.count += 1
        chance = random.Random(number + self.count)
        if mode.is_positive and self.shown and self.count % 3 == 1:
            case.body = copy.deepcopy(chance.choice(self.shown))
        if self.count % 4:
            self.asked.name_known(case, chance, within_body=mode.is_positive)
        session, headers = self.caller.by(self.name)
        answer = case.call(base_url=self.asked.url, session=session, headers=headers, timeout=PATIENCE)
        self.tried.check(self.name, case, answer, self.caller)

    def run(self, mode: GenerationMode, examples: int) -> None:
        """Many of them, as the document allows them or as it does not."""

        @hypothesis.settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[hypothesis.Phase.generate],  # the service is not as it was: nothing would happen a second time
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(self.operation.as_strategy(generation_mode=mode), st.integers(0, 2**32))
        def run(case: Any, number: int) -> None:
            self.ask(case, number, mode)

        try:
            run()
        except Unsatisfiable:
            assert mode.is_negative, self.name  # without parameters and a body nothing can be wrong


def test_every_operation_keeps_to_its_document(tmp_path: Path, api_examples: int) -> None:
    described = document()
    schema = schemathesis.openapi.from_dict(described)
    schema.config.generation.update(with_security_parameters=False)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    tried = Tried()
    with asked_service(tmp_path) as asked:
        for caller in asked.callers:
            for operation in operations:
                asking = Asking(operation, caller, asked, example_of(operation, described), tried)
                asking.run(GenerationMode.POSITIVE, api_examples)
                asking.run(GenerationMode.NEGATIVE, max(1, api_examples // 2))
    for name, answers in sorted(tried.answers.items()):
        print(f"{name:28} {dict(sorted(answers.items()))}")
    assert not tried.faults, f"{len(tried.faults)} faults\n{tried.told()}\n{asked.service.log.read_text()[-8000:]}"
    names = {operation["operationId"] for way in described["paths"].values() for operation in way.values()}
    reached = {name for name, answers in tried.answers.items() if answers.keys() - REFUSED}
    assert reached == names, f"not reached: {sorted(names - reached)}"
