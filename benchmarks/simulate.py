"""Simulating 1,000 tags for a day at 1 Hz to Parquet, twice: how long it takes, and whether the bytes are the same.

.venv/bin/python -m benchmarks.simulate [--tags 1000] [--hours 24] [--seed 7]
"""

import argparse
import hashlib
import resource
import tempfile
import time
from pathlib import Path

from benchmarks.report import machine
from benchmarks.simulated import PLANTS
from domain.site import Site
from service.cli.simulating import written
from service.config import load_site
from simulators.scenarios import SITE, Simulation, parse

TIMELINE = """
duration: {hours}h
timeline:
  - {{at: 30min, set: {{vessels.outlet_blocked: 1}}}}
  - {{at: 40min, set: {{vessels.outlet_blocked: 0}}}}
"""


def run(site: Site, tags: int, hours: int, seed: int, path: Path) -> tuple[int, float, float, str]:
    """Readings, seconds, seconds of processors, and the digest of the file."""
    begin, busy = time.perf_counter(), time.process_time()
    scenario = parse(PLANTS + TIMELINE.format(hours=hours))
    few = len(Simulation(scenario, site).tags)
    simulation = Simulation(scenario, site, seed=seed, copies=round(tags / few))
    readings = 0
    with written(simulation, path) as take:
        for chunk in simulation.chunks():
            take(chunk)
            readings += len(chunk)
    seconds, used = time.perf_counter() - begin, time.process_time() - busy
    with path.open("rb") as file:
        return readings, seconds, used, hashlib.file_digest(file, "sha256").hexdigest()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tags", type=int, default=1000)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    print(machine())
    site, digests = load_site([SITE]), set()
    with tempfile.TemporaryDirectory() as folder:
        for number in (1, 2):
            path = Path(folder) / f"{number}.parquet"
            readings, seconds, used, digest = run(site, given.tags, given.hours, given.seed, path)
            digests.add(digest)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            rate, size = readings / seconds / 1e6, path.stat().st_size / 1e6
            print(
                f"run {number}: {readings:,} readings in {seconds:.1f} s ({used:.1f} s of processors), {rate:.2f} M/s, "
                f"{size:.0f} MB, peak memory {peak:.0f} MB, sha256 {digest[:16]}…"
            )
    print("same seed, same bytes" if len(digests) == 1 else "THE BYTES DIFFER")
    if len(digests) > 1:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
