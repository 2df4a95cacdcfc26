"""Whatever is sent, the answer is an answer: never a 500, and always a problem document where it is an error."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from service.api import models
from service.api.table import ROUTES
from tests.api_service import HEADERS, Client, FakeService, api, sqlite_ledger
from tests.hostile_requests import HOSTILE, KNOWN, parameters_of


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def client(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    opened = sqlite_ledger(tmp_path_factory.mktemp("ledger"), 30)
    ledger, _ = runner.run(opened.__aenter__())
    serving = api(FakeService(ledger.engine))
    client = runner.run(serving.__aenter__())
    client.session.headers.update(HEADERS)
    # The ledger's connection brings a thread, and so does the first look at a configuration: they are to be there
    # before the watch over the first test looks.
    runner.run(send(client, "GET", "/api/v1/alarms"))
    runner.run(send(client, "POST", "/api/v1/config/check", json={}))
    yield client
    runner.run(serving.__aexit__(None, None, None))
    runner.run(opened.__aexit__(None, None, None))


async def send(client: Client, method: str, target: str, **options: Any) -> None:
    address = URL(str(client.make_url("/")).rstrip("/") + target, encoded=True)
    async with client.session.request(method, address, allow_redirects=False, **options) as answer:
        assert answer.status < 500, (method, target, options, await answer.text())
        if answer.status >= 400 and answer.content_type != "text/plain":  # aiohttp's parser answers so
            models.Problem.model_validate(await answer.json())


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_values_of_every_parameter(runner: asyncio.Runner, client: Client, value: str) -> None:
    async def send_all() -> None:
        for route in ROUTES:
            for target in parameters_of(route, value):
                await send(client, route.method, target)

    runner.run(send_all())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.sampled_from(["name", "comment"]), inner)
    ),
    max_leaves=10,
)
posts = [route for route in ROUTES if route.method == "POST"]


@given(route=st.sampled_from(posts), identity=st.integers(-5, 40), body=json_values)
@settings(max_examples=150)
def test_bodies_of_any_shape(runner: asyncio.Runner, client: Client, route: Any, identity: int, body: Any) -> None:
    runner.run(send(client, "POST", route.path.format(**KNOWN | {"id": str(identity)}), json=body))


@given(
    route=st.sampled_from(ROUTES),
    name=st.sampled_from(["limit", "after", "since", "state", "start", "end", "bucket", "enterprise"]) | st.text(),
    value=st.text(),
)
@settings(max_examples=150)
def test_queries_of_any_text(runner: asyncio.Runner, client: Client, route: Any, name: str, value: str) -> None:
    path = route.path.format(**KNOWN)
    address = URL(path).with_query({name: value})
    runner.run(send(client, "GET", str(address)))


@given(path=st.text(st.characters(codec="utf-8"), max_size=200))
@settings(max_examples=100)
def test_paths_of_any_text(runner: asyncio.Runner, client: Client, path: str) -> None:
    async def get() -> None:
        for prefix in ("/api/v1/", "/api/v1/alarms/", "/api/v1/tags/"):
            await send(client, "GET", URL.build(path=prefix + path.lstrip("/")).raw_path_qs)

    runner.run(get())
