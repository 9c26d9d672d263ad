"""The clausule.yaml that the chart writes is one that the program takes, with nothing lost on the way."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from agent import config
from agent.model import Waiver
from tests.deploy.conftest import VALUES
from tests.deploy.helm import CHART, Helm
from tests.deploy.test_chart import of_kind

BY_THE_CHART = {"version", "store"}


def written(helm: Helm, values: dict[str, Any]) -> config.Config:
    text = of_kind(helm.template(values), "ConfigMap")[0]["data"]["clausule.yaml"]
    return config.parse(text, "clausule.yaml")


@pytest.mark.parametrize("name", sorted(VALUES))
def test_the_program_takes_it(helm: Helm, name: str) -> None:
    assert written(helm, VALUES[name]).sources


def test_texts_and_numbers_stay_what_they_are(helm: Helm) -> None:
    """Words that YAML takes for something else, characters that JSON escapes, a number that Go writes as 1e+06."""
    values = VALUES["bucket-and-cloud-identity"]["config"]
    found = written(helm, VALUES["bucket-and-cloud-identity"]).common
    assert found.agreement == values["agreement"]
    assert list(found.waivers) == msgspec.convert(values["waivers"], list[Waiver])
    assert found.params == values["params"]
    assert isinstance(found.params["many"]["limit"], int)


def test_this_cluster_is_audited_by_default(helm: Helm) -> None:
    assert written(helm, {}).sources["kubernetes"].in_cluster is True


def test_the_schema_has_the_keys_of_the_program() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())["definitions"]["config"]["properties"]
    sections = config.configurable()
    assert set(schema) == set(fields(config.Common)) - BY_THE_CHART | set(sections)
    for name, settings in sections.items():
        assert set(schema[name]["properties"]) == set(fields(settings)), name


def fields(kind: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(kind)]
