"""Run every benchmark, or those named: `python -m benchmarks [startup] [calls] [evaluation]`.

CPU seconds are of whole processes, by the operating system's own accounting; where a peer stands beside a figure, both
were measured in the same run, in turn. Read ratios, not absolute times: machines differ.
"""

from __future__ import annotations

import importlib
import platform
import sys

import duckdb
from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure

ALL = ("startup", "calls", "evaluation")


def main() -> None:
    """Measure and print one table."""
    chosen = sys.argv[1:] or ALL
    table = Table(title=f"Python {platform.python_version()}, DuckDB {duckdb.__version__}, {platform.machine()}")
    for heading in ("what", "measured", "target", "met", "how"):
        table.add_column(heading, overflow="fold")
    for name in chosen:
        figures: list[Figure] = importlib.import_module(f"benchmarks.{name}").measure()
        for figure in figures:
            table.add_row(figure.what, figure.measured, figure.target, figure.verdict, figure.how)
    Console(width=150 if not sys.stdout.isatty() else None).print(table)


if __name__ == "__main__":
    main()
