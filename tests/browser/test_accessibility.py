"""axe-core finds nothing against WCAG 2.1 A and AA: every page of the router, every dialog, both themes and languages.

axe comes from the console's own packages and is run in the page. A page that the router has and ``PLACES`` has not
fails the test: so does one that nobody has thought of.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from playwright.async_api import Locator, expect

from tests import servers
from tests.browser import history
from tests.browser.conftest import TANK_FARM
from tests.browser.desk import Desk, Desks
from tests.browser.works import GATEWAY, Works, gas_tag, main
from tests.conftest import ROOT
from tests.running import TOKEN, Service, site_of, until

pytestmark = pytest.mark.browser

AXE = (ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js").read_text
RUN = """async () => {
    const { violations } = await axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'],
        resultTypes: ['violations'],
        preload: false,
    });
    return violations.flatMap(({ id, help, nodes }) => nodes.map(
        (node) => `${id} (${help}): ${node.target.join(' ')}: ${node.any.map(({ message }) => message).join('; ')}`,
    ));
}"""
LOOK = """async () => {
    const root = document.documentElement;
    const { $i18n } = document.querySelector('#app').__vue_app__.config.globalProperties;
    const was = { theme: root.dataset.theme, language: $i18n.locale };
    const other = { theme: was.theme === 'dark' ? 'light' : 'dark', language: was.language === 'en' ? 'zh-CN' : 'en' };
    const show = async ({ theme, language }) => {
        root.dataset.theme = theme;
        root.lang = $i18n.locale = language;
        for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
    };
    const coloured = axe.getRules().map((rule) => rule.ruleId).filter((id) => COLOURED.includes(id));
    if (coloured.length !== COLOURED.length) throw new Error(`axe knows ${coloured} only`);
    const found = [];
    const look = async (shown, options) => {
        await show(shown);
        const { violations } = await axe.run(document, { resultTypes: ['violations'], preload: false, ...options });
        for (const { id, help, nodes } of violations) for (const { target, any } of nodes) {
            const why = any.map(({ message }) => message).join('; ');
            found.push(`${shown.theme} ${shown.language}: ${id} (${help}): ${target.join(' ')}: ${why}`);
        }
    };
    const runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];
    await look(was, { runOnly });
    await look({ ...was, theme: other.theme }, { runOnly: COLOURED });
    const rules = Object.fromEntries(COLOURED.map((id) => [id, { enabled: false }]));
    await look({ ...was, language: other.language }, { runOnly, rules });
    await show(was);
    return found;
}""".replace("COLOURED", json.dumps(["color-contrast", "link-in-text-block"]))
"""All rules as the page stands; in the other theme those that a colour can break, in the other language the rest."""
ROUTES = """() => document.querySelector('#app').__vue_app__.config.globalProperties.$router.getRoutes()
    .map((route) => route.name)"""
"""What the running router knows, not what its source seems to say."""
SILENT = [f"TI-{number}" for number in range(1, 13)]
SCENARIO = """
name: 罐泵区泄漏
units: [works/pumps]
duration: 10min
steps:
  - {at: 0s, tag: works/GT-201, value: 15}
expected: []
"""

PLACES = {
    "watch": "/",
    "incident": "/incidents/{incident}",
    "site": "/enterprises/works/tankfarm",
    "trends": "/trends",
    "map": "/map",
    "sitePlan": "/site-plans/works",
    "gateways": "/gateways",
    "journal": "/journal",
    "search": "/search?text=GT-101",
    "kpi": "/kpi",
    "suppressed": "/suppressed",
    "tuning": "/tuning/works/tankfarm/GT-101",
    "changes": "/changes/{change}",
    "drills": "/drills",
    "handover": "/handover",
    "contacts": "/contacts",
    "plans": "/plans",
    "messages": "/messages",
    "administration": "/administration/change",
    "wall": "/wall",
    "account": "/account",
    "accounts": "/accounts",
    "code": "/code/ABCD-EFGH",
    "missing": "/nowhere",
}
"""Route -> where to look at it."""
UNFOLDED = {"gateways": "summary", "watch": ".group button", "site": "main button.row"}
"""Route -> what is to be clicked for the page to show all that it has."""
WIDE = ("kpi", "changes")
"""Routes with tables that a telephone's page scrolls sideways, and nothing in them takes the focus."""
DIALOGS = {
    "watch": ".row:first-child .act button",
    "incident": ".loop .acts button, .row .act button",
    "suppressed": "main .heading > button, main td > button",
    "drills": ".running button",
    "handover": "main .primary",
    "changes": ".change .head .heading button",
    "tuning": "aside .heading .primary",
}
"""Route -> the buttons that open a dialog, as far as they can be pressed."""


@pytest.fixture
def site() -> dict[str, Any]:
    """A tank farm, pumps, a store, and a unit behind a gateway that is lost."""
    slow = {"measurand": "temperature", "engineering_unit": "degC", "gateway": "gw2", "period": "1s", "bad": "off"}
    farm = {**TANK_FARM, "hazard_level": 2}
    pumps: dict[str, Any] = {"id": "pumps", "name": "泵房", "tags": [gas_tag("GT-201", "泵房硫化氢")]}
    reactor: dict[str, Any] = {"id": "reactor", "name": "反应装置", "tags": [{"tag": tag, **slow} for tag in SILENT]}
    store: dict[str, Any] = {"id": "store", "name": "库房", "tags": [gas_tag("GT-301", "东"), gas_tag("GT-302", "西")]}
    described = (farm, pumps, reactor, store)
    units = [{**unit, "tags": [{"gateway": "gw1", **tag} for tag in unit["tags"]]} for unit in described]
    return site_of(units, gateways=[{"id": "gw1", "name": "网关一"}, {"id": "gw2", "name": "网关二"}])


@pytest.fixture
async def starting(broker: servers.Broker, tmp_path: Path, site: dict[str, Any]) -> Any:
    """The service, with a week of readings and a drill's scenario."""
    service = Service.configured(tmp_path / "served", main(broker), site)
    await history.fill(service.folder / "data", "works/GT-101", history.readings())
    (service.folder / "drills").mkdir()
    (service.folder / "drills" / "leak.yaml").write_text(SCENARIO, encoding="utf-8")
    service.start()
    try:
        yield service
    finally:
        status = service.stop()
    assert status == 0, service.log.read_text()[-4000:]


async def test_no_page_keeps_anybody_out(works: Works, desks: Desks) -> None:
    ids = await bad_night(works)
    faults: list[str] = []
    desk = await opened(desks, works, "dark", "zh-CN")
    assert set(await desk.page.evaluate(ROUTES)) == PLACES.keys()
    for route, place in PLACES.items():
        await desk.turn_to(place.format_map(ids))
        await unfold(desk, route)
        await desk.settled()
        faults += await violations_in_all(desk, place)
        faults += await violations_of_dialogs(desk, route, place)
        if route in WIDE:
            await desk.page.set_viewport_size({"width": 390, "height": 844})
            await expect(desk.page.locator(".wide[tabindex]").first).to_be_visible()
            faults += await violations(desk, f"{place}, narrow")
            await desk.page.set_viewport_size({"width": 1366, "height": 768})
    await desk.turn_to(PLACES["incident"].format_map(ids))
    with works.frozen():
        await expect(desk.page.locator("main.outdated")).to_have_count(1)
        faults += await violations_in_all(desk, "incident, lost")
        await desk.page.locator("a.brand").click()
        await expect(desk.page.locator(".tile")).to_have_count(4)
        faults += await violations_in_all(desk, "watch, lost")
    await expect(desk.page.locator("main.outdated")).to_have_count(0)
    stranger = await opened(desks, works, "light", "zh-CN", token="wrong")
    await stranger.page.locator("summary").click()
    await stranger.page.get_by_label("访问令牌", exact=True).fill("wrong")
    await stranger.page.keyboard.press("Enter")
    await expect(stranger.page.get_by_text("令牌未被服务接受")).to_be_visible()
    faults += await violations_in_all(stranger, "without a token")
    if faults:
        pytest.fail("\n".join(faults))


async def opened(desks: Desks, works: Works, theme: str, language: str, token: str = TOKEN) -> Desk:
    """A desk that has its theme and language, and axe."""
    desk = await desks.open(works.address, token=token)
    preferences = {"anshao.theme": theme, "anshao.language": language, "anshao.desk": "370783"}
    await desk.page.evaluate("kept => { Object.assign(localStorage, kept); }", preferences)
    await desk.page.reload()
    await expect(desk.page.locator("html")).to_have_attribute("data-theme", theme)
    await expect(desk.page.locator("html")).to_have_attribute("lang", language)
    await desk.page.evaluate(AXE(encoding="utf-8"))
    return desk


async def violations(desk: Desk, where: str) -> list[str]:
    """What axe says of the page as it stands."""
    found: list[str] = await desk.page.evaluate(RUN)
    return [f"{where}: {each}" for each in found]


async def violations_in_all(desk: Desk, where: str) -> list[str]:
    """What axe says of the page as it stands, in both themes and languages."""
    found: list[str] = await desk.page.evaluate(LOOK)
    return [f"{where}: {each}" for each in found]


async def violations_of_dialogs(desk: Desk, route: str, where: str) -> list[str]:
    """What axe says of each dialog that the page's buttons open."""
    found: list[str] = []
    if route not in DIALOGS:
        return found
    names = []
    for button in await desk.page.locator(DIALOGS[route]).all():
        name = await button.inner_text()
        if name in names or not await button.is_enabled():
            continue
        names.append(name)
        found += await violations_of_dialog(desk, button, f"{where}, {name}")
    assert names, where
    return found


async def violations_of_dialog(desk: Desk, button: Locator, where: str) -> list[str]:
    """What axe says of the dialog, as it opens and after it has refused an empty form; none: a file was asked for."""
    await button.click()
    dialog = desk.page.get_by_role("dialog")
    if await dialog.count() == 0:
        return []
    found = await violations_in_all(desk, where)
    await dialog.locator("[type=submit]").click()
    await expect(dialog.get_by_role("alert").first).to_be_visible()
    found += await violations_in_all(desk, f"{where}, refused")
    await desk.page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    return found


async def unfold(desk: Desk, route: str) -> None:
    """Show what the page shows on demand only."""
    if route == "tuning":
        await desk.page.get_by_role("slider").first.press("PageUp")
    if route in UNFOLDED:
        await desk.page.locator(UNFOLDED[route]).first.click()


async def bad_night(works: Works) -> Mapping[str, int]:
    """Alarms of all kinds, a lost gateway, a drill, suppressed alarms, a handover, a change, refused messages."""
    lost = GATEWAY.replace("gw1", "gw2")
    await works.send_to(f"{lost}/status", orjson.dumps({"online": True}))
    await works.send_to(f"{lost}/data", works.payload(**dict.fromkeys(SILENT, 20.0)))
    await works.send_to(f"{lost}/status", orjson.dumps({"online": False}))
    await works.publish(**{"GT-101": 25.0, "GT-103": 25.0, "GT-301": 15.0, "FI-101": 3.0, "GT-UNKNOWN": 1.0})
    await works.send(b"{not json")
    await works.publish(**{"GT-103": 1.0})
    high = await until(lambda: works.alarm("GT-101", "H"))
    shelved = await until(lambda: works.alarm("GT-301", "H"))
    await done(works, f"/alarms/{high['id']}/acknowledge", {"name": "王芳", "comment": "已通知现场"})
    await done(works, "/desks/370783/handovers", {"name": "王芳", "notes": "GT-105 校验中"})
    edit = {"enterprise": "works", "tag": "GT-101", "rule": "H", "setpoint": 12}
    change = await done(works, "/changes", {"name": "李工", "reason": "反复进出", "edits": [edit]})
    await done(works, f"/changes/{change['id']}/backtest", {"days": 7, "name": "李工"})
    ends = (datetime.now(UTC) + timedelta(hours=8)).isoformat()
    out = {"enterprise": "works", "scope": "tag", "target": "GT-302", "ends_at": ends, "name": "李工", "reason": "换表"}
    await done(works, "/maintenance", out)
    drill = {"scenario": "leak", "units": ["works/pumps"], "leader": "赵刚", "name": "王芳", "circle": []}
    await done(works, "/drills", drill)
    await until(lambda: works.alarm("GT-201", "H"))
    await until(lambda: works.alarm(SILENT[-1], "STALE"))
    await done(works, f"/alarms/{shelved['id']}/shelve", {"name": "王芳", "reason": "校验", "duration": "1h"})
    return {"incident": high["incident"], "change": change["id"]}


async def done(works: Works, path: str, body: Mapping[str, Any]) -> Any:
    """An act of somebody through the API."""
    status, answer = await works.api.post(path, body)
    assert status < 300, (path, json.dumps(answer, ensure_ascii=False))
    return answer
