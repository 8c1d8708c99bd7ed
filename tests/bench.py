"""`make bench`: what a preview costs, and the way there from a fresh clone."""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from preview.project import stacks

from .support import ROOT

RUNS = 5
MANY = 24
"""Stacks that a project of all systems, clouds and tiers has."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--stacks", nargs="*", default=stacks(ROOT), help="stacks to preview (default: every one)")
    parser.add_argument("--no-clone", action="store_true", help="leave the fresh clones out")
    options = parser.parse_args()
    print(f"{'preview of':24} {'median s':>9} {'peak MB':>9}   ({RUNS} runs, {os.cpu_count()} cores)")
    for stack in options.stacks:
        runs = [measured([sys.executable, "-m", "preview", stack], ROOT) for _ in range(RUNS)]
        print(f"{stack:24} {statistics.median(run[0] for run in runs):9.2f} {max(run[1] for run in runs):9.0f}")
    print(f"\n{'comparison of':40} {'s':>9}")
    for many in (len(stacks(ROOT)), MANY):
        for name, touch in (("untouched", False), ("all touched", True)):
            print(f"{f'{many} stacks, {name}':40} {comparison(many, touch):9.1f}")
    if not options.no_clone:
        print(f"\n{'clone to preview':24} {'s':>9}")
        for name, cache in (("cold package cache", True), ("warm package cache", False)):
            print(f"{name:24} {from_clone(cache):9.1f}")


def comparison(many: int, touch: bool) -> float:
    """Seconds to compare so many stacks, copies of those that there are, with the commit before."""
    with tempfile.TemporaryDirectory(prefix="plinth-bench-") as place:
        folder = Path(place) / "project"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        names = stacks(ROOT)
        for i in range(len(names), many):
            shutil.copy(folder / f"Pulumi.{names[i % len(names)]}.yaml", folder / f"Pulumi.copy-{i}.yaml")
        identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "add", "--all"], cwd=folder, check=True)
        subprocess.run(
            ["git", *identity, "commit", "--quiet", "--allow-empty", "--message", "x"], cwd=folder, check=True
        )
        if touch:
            with (folder / "__main__.py").open("a") as program:
                program.write("# touched\n")
        code = (
            "import sys; from pathlib import Path; from preview.against import compare_with\n"
            "compare_with(Path(sys.argv[1]), 'HEAD')"
        )
        return measured([sys.executable, "-c", code, str(folder)], ROOT)[0]


def measured(command: list[str], folder: Path) -> tuple[float, float]:
    """Wall time in seconds and peak memory in MB of a command."""
    start = time.perf_counter()
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {child.returncode}")
    return time.perf_counter() - start, _peak(usage)


def _peak(usage: resource.struct_rusage) -> float:
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KB elsewhere
    return usage.ru_maxrss * unit / 1e6


def from_clone(cold: bool) -> float:
    """Seconds from `git clone` to the printed preview of dev, of what is committed."""
    folder = Path(tempfile.mkdtemp(prefix="plinth-bench-"))
    caches = {"UV_CACHE_DIR": str(folder / "uv"), "PIP_CACHE_DIR": str(folder / "pip")} if cold else {}
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "VIRTUAL_ENV"))}
    try:
        start = time.perf_counter()
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder / "clone")], check=True)
        subprocess.run(
            ["make", "preview"],
            cwd=folder / "clone",
            env={**environment, **caches},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return time.perf_counter() - start
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
