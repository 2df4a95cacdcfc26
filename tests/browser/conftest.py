"""Fixtures of the browser tests: desks in Chromium, and a served site with its gateway."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from tests import servers
from tests.browser.desk import Desks
from tests.browser.works import Works, gas_tag, limits, main
from tests.running import Service, api_of, site_of

TANK_FARM: dict[str, Any] = {
    "id": "tankfarm",
    "name": "原料罐区",
    "hazard_level": 3,
    "tags": [
        gas_tag("GT-101", "1# 罐泵区硫化氢"),
        gas_tag("GT-103", "3# 罐泵区硫化氢", limits=limits(10, 20, latching=True)),
        gas_tag("GT-105", "5# 罐泵区硫化氢"),
        {"tag": "FI-101", "measurand": "flow", "engineering_unit": "m3/h", "stale": "off", "description": "进料"},
    ],
}


@pytest.fixture
async def desks(browser: Browser) -> AsyncIterator[Desks]:
    """Opens pages; fails a test in which one broke the policy, asked another host or raised an error."""
    desks = Desks(browser)
    yield desks
    if faults := await desks.close():
        pytest.fail("\n".join(faults))


@pytest.fixture
def site() -> dict[str, Any]:
    """A tank farm with three gas detectors and a flow without limits. Modules put their own site in its place."""
    return site_of([TANK_FARM])


@pytest.fixture
def starting(broker: servers.Broker, tmp_path: Path, site: dict[str, Any]) -> Iterator[Service]:
    """The service's process, which gets ready while the browser starts."""
    service = Service.configured(tmp_path / "served", main(broker), site)
    service.start()
    try:
        yield service
    finally:
        status = service.stop()
    assert status == 0, service.log.read_text()[-4000:]


@pytest.fixture
async def works(starting: Service, broker: servers.Broker, browser: Browser) -> AsyncIterator[Works]:
    """The site, served."""
    del browser  # only to be started meanwhile
    await starting.ready()
    async with api_of(starting.url) as api:
        yield Works(starting, broker, api)
