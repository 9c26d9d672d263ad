"""RBAC rules: the fewest that grant what is asked, and never more than reading."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agent import rbac
from docs import generate
from tests.deploy.helm import CHART

PERMISSIONS = st.builds(
    "{}/{}:{}".format,
    st.sampled_from(["", "apps", "networking.k8s.io"]),
    st.sampled_from(["nodes", "pods", "networkpolicies"]),
    st.sampled_from(["get", "list", "watch"]),
)


@given(st.sets(PERMISSIONS))
def test_rules_grant_exactly_the_permissions(asked: set[str]) -> None:
    granted = [
        f"{group}/{resource}:{verb}"
        for rule in rbac.rules(asked)
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]
    assert sorted(granted) == sorted(asked)


def test_resources_with_the_same_verbs_share_a_rule() -> None:
    assert rbac.rules(["/pods:list", "/nodes:list", "/pods:get", "/nodes:get", "apps/deployments:list"]) == [
        {"apiGroups": [""], "resources": ["nodes", "pods"], "verbs": ["get", "list"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"]},
    ]


@pytest.mark.parametrize(
    "permission",
    ["/secrets:list", "/nodes:create", "/nodes:*", "/*:list", "*/nodes:list", "nodes:list", "/nodes/proxy:get", ""],
)
def test_more_than_reading_is_refused(permission: str) -> None:
    with pytest.raises(ValueError, match=r"is never granted|is not <API group>"):
        rbac.rules([permission])


def test_the_document_is_the_rules() -> None:
    assert yaml.safe_load(rbac.document(["/nodes:list"])) == rbac.rules(["/nodes:list"])


def test_the_chart_grants_what_the_plan_asks() -> None:
    assert (CHART / "files/rules.yaml").read_text() == generate.rules(), "run: make generate"
