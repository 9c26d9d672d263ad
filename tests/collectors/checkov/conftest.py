"""Programs that stand in for Checkov, and Checkov itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from collectors.checkov import _environment
from tests.needs import missing

Program = Callable[[str], str]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Writes a program in Python and says where it is."""

    def write(body: str) -> str:
        path = tmp_path / "program"
        path.write_text(f"#!{sys.executable}\n{body}\n", encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    return write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty directory to scan."""
    path = tmp_path / "infra"
    path.mkdir()
    return path


@pytest.fixture(scope="session")
def checkov() -> str:
    """The real Checkov of its own environment."""
    found = _environment.find()
    if found is None:
        missing("Checkov's environment (clausule checkov install)")
    return str(found)
