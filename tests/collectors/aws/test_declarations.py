"""Rules about all AWS tables, checked against botocore's own models of the APIs."""

from __future__ import annotations

import re
from types import ModuleType

import botocore.session
import jmespath
import pytest
from botocore import xform_name

from agent import registry
from agent.model import Table
from collectors.aws import SOURCE
from collectors.aws._call import AwsCall
from tests.collectors.aws.conftest import TABLES
from tests.faults import operation

ALL = [registry.tables()[name] for name in TABLES]
CALLS = [(table, call) for table in ALL for call in table.calls if isinstance(call, AwsCall)]
READ_ONLY = re.compile(r"[a-z0-9-]+:(Get|List|Describe)[A-Za-z]+")


def _id(value: object) -> str:
    return str(getattr(value, "name", value))


@pytest.mark.parametrize("table", ALL, ids=_id)
def test_a_table_is_whole(table: Table) -> None:
    module: ModuleType = __import__(f"collectors.aws.{table.name.removeprefix('aws_')}", fromlist=["TABLE"])
    assert module.TABLE is table
    assert table.scope in SOURCE.scope_columns
    assert [call.role for call in table.calls].count("list") == 1
    assert len({call.name for call in table.calls}) == len(table.calls)
    own = [column.name for column in table.columns]
    known = {*own, *SOURCE.scope_columns[table.scope]}
    assert len(own) == len(set(own))
    assert table.key in known
    assert table.place is None or set(table.place.columns) <= known
    assert {column.call for column in table.columns} == {call.name for call in table.calls}


@pytest.mark.parametrize("table", ALL, ids=_id)
def test_columns_are_described_and_compile(table: Table) -> None:
    for column in table.columns:
        assert column.description.endswith(".")
        assert column.description[0].isupper()
        assert column.description.count(". ") == 0
        if isinstance(column.value, str):
            jmespath.compile(column.value)


@pytest.mark.parametrize(("table", "call"), CALLS, ids=_id)
def test_calls_are_those_of_the_api(table: Table, call: AwsCall) -> None:
    model = operation(call.name)
    assert call.service == call.name.partition(":")[0]
    assert call.operation == xform_name(model.name)
    accepted = model.input_shape.members if model.input_shape else {}
    required = model.input_shape.required_members if model.input_shape else []
    assert set(required) <= set(call.request) <= set(accepted)
    for expression in [*call.request.values(), *filter(None, [call.items, call.only, call.region, call.known])]:
        jmespath.compile(expression)
    assert (call.role == "list") == bool(call.items)


@pytest.mark.parametrize(("table", "call"), CALLS, ids=_id)
def test_permissions_only_read(table: Table, call: AwsCall) -> None:
    assert call.permissions
    for permission in call.permissions:
        assert READ_ONLY.fullmatch(permission) or permission == "s3:ListAllMyBuckets"


@pytest.mark.parametrize(("table", "call"), CALLS, ids=_id)
def test_expressions_name_fields_of_the_answer(table: Table, call: AwsCall) -> None:
    """A typo in a field is NULL for ever, and no server tells."""
    shape = operation(call.name).output_shape
    names = _members(shape, 6)
    expressions = [c.value for c in table.columns if c.call == call.name and isinstance(c.value, str)]
    for expression in [*expressions, *filter(None, [call.items, call.only])]:
        words = re.findall(r"\b[A-Z]\w+|\btrailList\b", re.sub(r"'[^']*'", "", expression))
        assert set(words) <= names, expression


def _members(shape: object, depth: int) -> set[str]:
    """All names of fields in a shape."""
    if depth == 0 or shape is None:
        return set()
    if shape.type_name == "structure":  # type: ignore[attr-defined]
        inner = shape.members  # type: ignore[attr-defined]
        return set(inner).union(*(_members(member, depth - 1) for member in inner.values()))
    member = getattr(shape, "member", None) or getattr(shape, "value", None)
    return _members(member, depth - 1)


def test_discovery_is_declared_for_every_kind_of_scope() -> None:
    assert set(SOURCE.discovery) == set(SOURCE.scope_columns)
    known = {table.scope for table in ALL}
    assert known == set(SOURCE.scope_columns)


def test_tables_are_declared_without_boto() -> None:
    """Commands that need no AWS do not pay for it."""
    import subprocess
    import sys

    names = ", ".join(f"collectors.aws.{table.name.removeprefix('aws_')}" for table in ALL)
    code = f"import sys, {names}; print([m for m in sys.modules if m.startswith(('boto', 'jmespath'))])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_every_partition_is_known_to_the_client() -> None:
    session = botocore.session.get_session()
    assert {"aws", "aws-cn", "aws-us-gov", "aws-eusc"} <= set(session.get_available_partitions())
