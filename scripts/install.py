"""Bring ``.venv`` up to date: pinned dependencies, the built console, and the project itself (editable).

``--dev`` adds what checks and tests need. Only the standard library is used, since nothing is installed yet. What was
done is stamped with a digest of what it was done from, so that running this again costs a fraction of a second. pip
follows the machine's own configuration.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
STAMP = ENVIRONMENT / "anshao.json"
CONSTRAINTS = ROOT / "constraints.txt"


def main() -> int:
    """Install what is missing; the exit code of the first step that failed, else 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="add what checks and tests need")
    wanted = requirements(dev=parser.parse_args().dev)
    stamp = read_stamp()
    if stamp.get("path") != str(ENVIRONMENT) or not works():
        say(f"creating {ENVIRONMENT}")
        venv.create(ENVIRONMENT, clear=ENVIRONMENT.exists(), with_pip=True)
        stamp = {"path": str(ENVIRONMENT)}
    try:
        if not set(wanted) <= set(stamp.get("requirements", [])) or stamp.get("constraints") != digest(CONSTRAINTS):
            say(f"installing {len(wanted)} packages and what they need, pinned by {CONSTRAINTS.name}")
            run("-m", "pip", "install", "--disable-pip-version-check", "-c", str(CONSTRAINTS), *wanted)
            stamp |= {"requirements": wanted, "constraints": digest(CONSTRAINTS)}
        run("hatch_build.py")
        if stamp.get("project") != digest(ROOT / "pyproject.toml"):
            say("installing the command anshao")
            options = ["--disable-pip-version-check", "--quiet", "--no-build-isolation", "--no-deps"]
            run("-m", "pip", "install", *options, "--editable", str(ROOT))
            stamp |= {"project": digest(ROOT / "pyproject.toml")}
    except subprocess.CalledProcessError as failed:
        sys.stderr.write(f"install: {' '.join(failed.cmd[1:4])}… failed; its message stands above\n")
        return failed.returncode
    except KeyboardInterrupt:
        return 130
    finally:
        STAMP.write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")
    return 0


def requirements(*, dev: bool) -> list[str]:
    """What ``pyproject.toml`` asks for, the build's own requirements included: the project is built in ``.venv``."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    return sorted(wanted + (project["dependency-groups"]["dev"] if dev else []))


def works() -> bool:
    """The environment's interpreter starts, is recent enough and has pip."""
    test = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return PYTHON.exists() and subprocess.run([PYTHON, "-c", test], capture_output=True, check=False).returncode == 0


def read_stamp() -> dict[str, Any]:
    """What was done before; empty if nothing, or if the environment was made by other means."""
    try:
        stamp: dict[str, Any] = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(*arguments: str) -> None:
    """Run the environment's Python in the project's folder. Raises CalledProcessError."""
    subprocess.run([str(PYTHON), *arguments], cwd=ROOT, stdin=subprocess.DEVNULL, check=True)


def say(text: str) -> None:
    """A line of progress."""
    sys.stdout.write(f"==> {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
