"""How long `clausule --help` takes above bare Python."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.figures import Figure, median_cpu_in_turn

TIMES = 15
TARGET_MS = 60


def measure() -> list[Figure]:
    """CPU of the whole process, in turn with an empty Python program."""
    clausule = str(Path(sys.executable).parent / "clausule")
    bare, ours = median_cpu_in_turn([[sys.executable, "-c", "pass"], [clausule, "--help"]], TIMES)
    above = (ours - bare) * 1000
    how = f"median of {TIMES}: {ours * 1000:.0f} ms, bare Python {bare * 1000:.0f} ms"
    what = "clausule --help above bare Python"
    return [Figure(what, f"{above:.0f} ms CPU", how, f"<= {TARGET_MS} ms", above <= TARGET_MS)]
