"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
settings.load_profile("ci")


@pytest.fixture
def lab() -> Iterator[object]:
    """The lab source, added the way a new source is: as a folder of `collectors`."""
    import collectors
    from agent import policy, registry

    extra = str(Path(__file__).parent / "extra")
    caches = (registry.sources, registry.tables, registry.all_columns, policy.catalog)
    collectors.__path__.append(extra)
    for cached in caches:
        cached.cache_clear()
    from collectors import lab as module  # type: ignore[attr-defined]

    module.ESTATE.__init__()
    yield module.ESTATE
    collectors.__path__.remove(extra)
    for cached in caches:
        cached.cache_clear()
