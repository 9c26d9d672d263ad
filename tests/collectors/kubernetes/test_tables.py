"""What holds for every Kubernetes table, and what the tables make of recorded answers."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import jmespath
import pytest

import collectors.kubernetes as package
from agent import registry, sqltypes
from agent.model import Table
from collectors.kubernetes._call import KubeCall
from tests.estate import cluster

from .conftest import TABLES, Collected, true_rows


def test_there_is_a_table_in_every_module() -> None:
    modules = sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.name[0] != "_")
    assert sorted(table.name for table in TABLES) == [f"k8s_{module}" for module in modules]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_is_declared_as_it_should(table: Table) -> None:
    module = importlib.import_module(f"collectors.kubernetes.{table.name.removeprefix('k8s_')}")
    assert module.TABLE is table
    assert table.description.endswith(".")
    assert [call.role for call in table.calls] == ["list"]
    assert isinstance(table.list_call, KubeCall)
    assert table.list_call.path in cluster.PATHS, "there is no recording for it"
    names = [column.name for column in table.columns]
    assert len(names) == len(set(names))
    assert table.key in names
    assert set(names).isdisjoint(package.SOURCE.scope_columns[table.scope])
    for column in table.columns:
        assert column.description.endswith("."), column.name
        assert table.call(column.call)
        sqltypes.check(column.type, None)
        if isinstance(column.value, str):
            jmespath.compile(column.value)
    place = table.place
    assert place is None or {*place.columns, place.provider_column} <= set(names)


def test_permissions_are_in_the_words_of_rbac() -> None:
    assert {table.name: table.list_call.permissions for table in TABLES} == {
        "k8s_node": ("/nodes:list",),
        "k8s_namespace": ("/namespaces:list",),
        "k8s_network_policy": ("networking.k8s.io/networkpolicies:list",),
        "k8s_persistent_volume": ("/persistentvolumes:list",),
    }


def test_declarations_are_read_without_the_client() -> None:
    modules = ", ".join(f"collectors.kubernetes.{table.name.removeprefix('k8s_')}" for table in TABLES)
    code = f"import sys, {modules}; print(sorted({{'kubernetes', 'urllib3', 'ssl'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_rows_of_the_recorded_cluster_are_the_truth(
    gather: Callable[..., Collected], kubeconfig: str, server: cluster.ReplayServer
) -> None:
    found = gather(kubeconfig=kubeconfig)
    assert found.gaps == []
    for table in TABLES:
        assert found.rows[table.name] == true_rows(table.name)
    assert dict(server.asked) == dict.fromkeys(cluster.PATHS, 1), "one call a list, and one to see who is there"


def policy(spec: dict[str, Any]) -> dict[str, Any]:
    values = {}
    for column in registry.tables()["k8s_network_policy"].columns:
        if callable(column.value):
            values[column.name] = column.value({"metadata": {"namespace": "n", "name": "p"}, "spec": spec})
    return values


@pytest.mark.parametrize(
    ("spec", "types", "ingress", "egress"),
    [
        ({"podSelector": {}}, ["Ingress"], True, False),
        ({}, ["Ingress"], True, False),
        ({"podSelector": {}, "egress": [{}]}, ["Ingress", "Egress"], True, False),
        ({"podSelector": {}, "ingress": [{}]}, ["Ingress"], False, False),
        ({"podSelector": {}, "policyTypes": ["Egress"]}, ["Egress"], False, True),
        ({"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": []}, ["Ingress", "Egress"], True, True),
        ({"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"]}, ["Ingress"], False, False),
        (
            {"podSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}, "policyTypes": ["Ingress"]},
            ["Ingress"],
            False,
            False,
        ),
    ],
)
def test_default_deny_is_told_from_the_rest(
    spec: dict[str, Any], types: list[str], ingress: bool, egress: bool
) -> None:
    found = policy(spec)
    assert found["policy_types"] == types
    assert (found["default_deny_ingress"], found["default_deny_egress"]) == (ingress, egress)
