"""What somebody has done at the demo before its pictures are taken: through the API, as the console does it."""

import time
from pathlib import Path

from playwright.sync_api import APIRequestContext as Api
from playwright.sync_api import APIResponse

__all__ = ["Api", "prepare"]

OFFICER, SUPERVISOR, ENGINEER = "王芳", "李强", "陈静"
PLACED = {
    "GT-101": (0.46, 0.815),
    "GT-103": (0.63, 0.76),
    "GD-101": (0.16, 0.88),
    "TI-101": (0.1, 0.085),
    "LI-103": (0.41, 0.085),
}
"""Tags on the site plan, in fractions of its width and height."""


PLAN = Path(__file__).parent / "demo_plan.svg"
"""An invented drawing of the tank farm."""


def prepare(api: Api, incident: int, drawing: bytes) -> dict[str, int]:
    """Somebody acknowledges, shelves, proposes, hands over, places tags; the numbers that addresses need."""
    alarms = sorted(done(api.get(f"incidents/{incident}")).json()["alarms"], key=lambda alarm: alarm["entered_at"])
    officer = {"name": OFFICER, "comment": "已电话通知现场核实"}
    done(api.post(f"alarms/{alarms[0]['id']}/acknowledge", data=officer))
    done(
        api.post(
            "changes",
            data={
                "edits": [{"enterprise": "huarui", "tag": "GT-101", "rule": "H", "on_delay_ms": 5000}],
                "name": ENGINEER,
                "reason": "GT-101 抖动：三周内 41 次，均在 10.0 附近",
            },
        )
    )
    day = 86_400
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + day / 4))
    done(
        api.post(
            "maintenance",
            data={
                "enterprise": "huarui",
                "scope": "tag",
                "target": "TI-301",
                "ends_at": ends,
                "name": SUPERVISOR,
                "reason": "标准温度校验",
            },
        )
    )
    notes = "GT-101 附近法兰泄漏，企业已派人佩戴空呼核实；TI-301 校验中。"
    done(api.post("desks/370783/handovers", data={"name": OFFICER, "notes": notes}))
    return {"plan": site_plan(api, drawing)}


def site_plan(api: Api, drawing: bytes) -> int:
    """A plan of the tank farm with tags on it; its number."""
    plan = done(
        api.post(
            "site-plans",
            params={"enterprise": "huarui", "unit": "tankfarm", "title": "原料罐区平面图", "name": ENGINEER},
            data=drawing,
            headers={"Content-Type": "image/png"},
        )
    ).json()
    places = [{"tag": tag, "x": x, "y": y} for tag, (x, y) in PLACED.items()]
    done(
        api.post(
            f"site-plans/{plan['id']}/tags",
            data={"version": plan["version"], "place": places, "name": ENGINEER, "comment": "按竣工图布置"},
        )
    )
    return int(plan["id"])


def done(answer: APIResponse) -> APIResponse:
    """An answer that is no refusal."""
    if not answer.ok:
        raise SystemExit(f"{answer.url}: {answer.status} {answer.text()[:500]}")
    return answer
