"""Take the pictures of the workbench's reports: a shipped scenario, its suggestions, a sweep, the change, its effect.

    .venv/bin/python scripts/report_pictures.py

writes pictures/report-{suggest,sweep,compare,backtest}-{zh,en}.png, 1366 pixels wide. It takes half a minute,
and needs Chromium and a Chinese font; scripts/test installs both.
"""

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

from chromium import launch
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
ANSHAO = ROOT / ".venv" / "bin" / "anshao"
SITE = ROOT / "simulators" / "scenarios" / "site.yaml"
CHATTER, LEAK = "chattering-valve-pressure", "flange-leak-h2s"
RULE = "xinhe/PI-501/H"
DEADBAND, TUNED = ",820,950,2,0s,", ",820,950,12,0s,"
"""Of its row in the table of points: H, HH, deadband, on-delay."""
WIDTH, HEIGHT = 1366, 1000
GRID = ["--setpoint", "815:830:5", "--deadband", "2:14:2", "--on-delay", "0s,3s,5s,10s,15s"]


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=Path("pictures"), help="folder of the pictures")
    to: Path = parser.parse_args().to
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = launch(playwright)
        reports = make_reports(Path(name))
        for report, path in reports.items():
            for language in ("zh", "en"):
                photograph(browser, path, language, to / f"report-{report}-{language}.png")


def make_reports(folder: Path) -> dict[str, Path]:
    """The reports, by the commands that an engineer types."""
    for scenario in (CHATTER, LEAK):
        run("simulate", scenario, "--out", str(folder / f"{scenario}.parquet"))
    chatter, leak = (str(folder / f"{scenario}.parquet") for scenario in (CHATTER, LEAK))
    tuned = tuned_site(folder)
    commands = {
        "suggest": ["suggest", str(SITE), chatter],
        "sweep": ["sweep", str(SITE), chatter, RULE, *GRID],
        "compare": ["compare", str(SITE), str(tuned), chatter],
        "backtest": ["backtest", str(SITE), leak],
    }
    made = {}
    for name, command in commands.items():
        made[name] = folder / f"{name}.html"
        run(*command, "--out", str(made[name]))
    return made


def tuned_site(folder: Path) -> Path:
    """A copy of the scenarios' site in which the rule has a wider deadband."""
    site = folder / "site"
    shutil.copytree(SITE.parent, site)
    points = site / "points" / "xinhe-fuel-gas.csv"
    text = points.read_text(encoding="utf-8")
    if text.count(DEADBAND) != 1:
        raise SystemExit(f"{points}: the deadband of {RULE} is not where this script expects it")
    points.write_text(text.replace(DEADBAND, TUNED), encoding="utf-8")
    return site / "site.yaml"


def photograph(browser: Browser, path: Path, language: str, to: Path) -> None:
    """One picture of the top of a report."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
    page.goto(path.as_uri())
    page.locator(".plot canvas").first.wait_for()
    if language == "en":
        page.locator("#language").click()
    page.wait_for_timeout(800)
    page.screenshot(path=to)
    page.close()
    print(to)


def run(*arguments: str) -> None:
    """Run a command of ours."""
    subprocess.run([str(ANSHAO), *arguments], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
