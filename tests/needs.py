"""What a test needs that a machine may not have."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

REQUIRE_ALL = "CLAUSULE_REQUIRE_ALL"


def missing(what: str) -> NoReturn:
    """Skip a test by the name of what it misses; where nothing may be skipped, fail it."""
    if os.environ.get(REQUIRE_ALL):
        pytest.fail(f"{what} is missing, and {REQUIRE_ALL} is set")
    pytest.skip(f"{what} is missing")
