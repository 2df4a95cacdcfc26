"""Chromium, for the scripts that take pictures."""

import os
import shutil

from playwright.sync_api import Browser, Playwright


def launch(playwright: Playwright) -> Browser:
    """Start it; ends the script where it is not installed."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("Chromium is missing: apt-get install chromium fonts-noto-cjk")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    audible = "--autoplay-policy=no-user-gesture-required"  # as on a desk: else the console says that its sound is off
    return playwright.chromium.launch(executable_path=chromium, args=[audible, *root])
