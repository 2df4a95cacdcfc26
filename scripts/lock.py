"""Write ``constraints.txt`` anew: the newest versions that ``pyproject.toml`` allows of all that is installed.

Run ``.venv/bin/python scripts/lock.py``, then ``scripts/test``, and commit both files.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from install import CONSTRAINTS, requirements

HEAD = "# What AnShao is built, run and tested with. Written by scripts/lock.py, which says how to refresh it.\n"


def main() -> None:
    """Resolve without installing, and write what pip would install."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--report", str(report)]
        subprocess.run([*command, *requirements(dev=True)], check=True)
        found = [item["metadata"] for item in json.loads(report.read_text(encoding="utf-8"))["install"]]
    pins = sorted(f"{re.sub(r'[-_.]+', '-', item['name']).lower()}=={item['version']}" for item in found)
    CONSTRAINTS.write_text(HEAD + "\n".join(pins) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
