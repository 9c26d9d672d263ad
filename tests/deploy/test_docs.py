"""docs/kubernetes.md and the chart say the same."""

from __future__ import annotations

import re

import yaml

from tests.deploy.helm import ROOT, Helm
from tests.deploy.test_alerts import alerts

PAGE = (ROOT / "docs/kubernetes.md").read_text()


def test_every_alert_is_explained(helm: Helm) -> None:
    assert set(re.findall(r"\bClausule[A-Z]\w+", PAGE)) == set(alerts(helm, {}))


def test_the_values_shown_are_values(helm: Helm) -> None:
    shown = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert shown
    for block in shown:
        assert helm.template(yaml.safe_load(block))
