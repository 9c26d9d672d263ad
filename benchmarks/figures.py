"""A measured figure, and how whole processes are measured."""

from __future__ import annotations

import os
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    measured: str
    how: str
    target: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        """Whether the target is met, in a word."""
        return "" if self.met is None else "yes" if self.met else "NO"


@dataclass(frozen=True)
class Process:
    """What a finished process took: CPU seconds, and peak memory in MB."""

    cpu: float
    memory: float
    output: bytes


def run(command: Sequence[str], environment: dict[str, str] | None = None, *, check: bool = True) -> Process:
    """Run a command to its end, with cached bytecode as users have it; CPU includes children that it waited for."""
    given = dict(os.environ if environment is None else environment)
    given.pop("PYTHONDONTWRITEBYTECODE", None)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=given) as process:
        assert process.stdout
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if check and process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}: {output.decode(errors='replace')[-2000:]}")
    return Process(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output)


def median_cpu_in_turn(commands: Sequence[Sequence[str]], times: int) -> list[float]:
    """The median CPU seconds of each command, run A B A B … after one warm-up."""
    found: list[list[float]] = [[] for _ in commands]
    for turn in range(times + 1):
        for index, command in enumerate(commands):
            cpu = run(command).cpu
            if turn:
                found[index].append(cpu)
    return [statistics.median(values) for values in found]
