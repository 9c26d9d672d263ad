"""The real Helm, and the values that the chart is tried with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy import helm as helms
from tests.kube import api_server  # noqa: F401 - a fixture
from tests.needs import missing

VALUES: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "values.yaml").read_text())


@pytest.fixture(scope="session", params=sorted(helms.MAJORS), ids=lambda major: f"helm{major}")
def helm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> helms.Helm:
    """Helm 3, then Helm 4."""
    try:
        binary = helms.find(request.param)
    except helms.Unavailable as problem:
        missing(str(problem))
    return helms.Helm(binary, tmp_path_factory.mktemp("helm"))


@pytest.fixture(params=sorted(VALUES))
def objects(request: pytest.FixtureRequest, helm: helms.Helm) -> list[dict[str, Any]]:
    """What the chart makes of each set of values."""
    return helm.template(VALUES[request.param])
