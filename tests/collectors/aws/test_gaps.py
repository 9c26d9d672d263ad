"""What AWS does not answer is a gap of the right kind; what it answers with "not configured" is a value."""

from __future__ import annotations

import jmespath
import pytest
from jmespath.exceptions import JMESPathError

from agent import registry
from agent.errors import Unanswered
from agent.model import Call, Column, GapKind, Json
from collectors.aws._call import AwsCall
from collectors.aws._client import AwsAnswers
from tests.collectors.aws.conftest import TABLES, Gather, Opener
from tests.estate import aws
from tests.faults import FAULTS, Fault, answering, fault

KINDS = {
    "denied": GapKind.DENIED,
    "throttled": GapKind.THROTTLED,
    "timeout": GapKind.TIMEOUT,
    "unreachable": GapKind.UNREACHABLE,
    "server_error": GapKind.UNREACHABLE,
    "malformed": GapKind.UNREADABLE,
    "expired": GapKind.DENIED,
    "region_off": GapKind.UNSUPPORTED,
}
CALLS = [(table, call.name) for table in TABLES for call in registry.tables()[table].calls]
ITEMS = {
    "aws_account": {"Account": aws.ACCOUNT},
    "aws_region": {"RegionName": "eu-west-1", "OptInStatus": "opted-in"},
    "aws_s3_bucket": {"Name": "loonwijs-backups"},
    "aws_cloudtrail_trail": {"TrailARN": f"arn:aws:cloudtrail:eu-central-1:{aws.ACCOUNT}:trail/loonwijs-audit"},
    "aws_backup_plan": {"BackupPlanId": "0"},
}
REASON = "because no identity-based policy allows"


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize(("table", "name"), CALLS)
def test_a_call_that_fails_is_a_gap(table: str, name: str, kind: Fault, answers: Opener) -> None:
    call = registry.tables()[table].call(name)
    assert isinstance(call, AwsCall)
    with fault(name, kind) as spoilt:
        if kind == "malformed" and name == "s3:GetBucketPolicy":  # its answer is the policy, of any form
            assert _values(answers(), table, call) == set()
            return
        gap = _gap(answers(), table, call)
    assert spoilt
    assert gap.kind is _kind(name, kind)
    assert name in gap.detail
    assert gap.permission == (", ".join(call.permissions) if gap.kind is GapKind.DENIED else "")
    assert "arn:aws:sts" not in gap.detail
    assert (REASON in gap.detail) == (kind == "denied")


def _gap(client: AwsAnswers, table: str, call: Call) -> Unanswered:
    with pytest.raises(Unanswered) as gap:
        list(client.items(call)) if call.role == "list" else client.ask(call, ITEMS[table])
    return gap.value


def _kind(name: str, kind: Fault) -> GapKind:
    """botocore takes a broken document of S3 for a server error, except for a location."""
    if kind == "malformed" and name.startswith("s3:") and name != "s3:GetBucketLocation":
        return GapKind.UNREACHABLE
    return KINDS[kind]


def test_a_denied_row_call_leaves_the_other_columns(gather: Gather, truth: aws.Truth) -> None:
    with fault("s3:GetBucketEncryption", "denied"):
        found = gather("aws_s3_bucket", columns=["kms_key_id", "versioning_status"])
    rows = found.rows["aws_s3_bucket"]
    assert {gap.resource for gap in found.gaps} == set(rows) == set(truth["aws_s3_bucket"])
    assert {gap.columns for gap in found.gaps} == {("kms_key_id",)}
    assert {gap.permission for gap in found.gaps} == {"s3:GetEncryptionConfiguration"}
    for name, row in rows.items():
        assert "kms_key_id" not in row
        assert row["_unread"] == ["kms_key_id"]
        assert row["versioning_status"] == truth["aws_s3_bucket"][name]["versioning_status"]


def test_a_region_that_is_denied_leaves_the_others(gather: Gather, truth: aws.Truth) -> None:
    with fault("ec2:DescribeVolumes", "denied", region="eu-west-1"):
        found = gather("aws_ebs_volume")
    assert [(gap.scope, gap.kind, gap.columns) for gap in found.gaps] == [
        (f"aws/{aws.ACCOUNT}/eu-west-1", GapKind.DENIED, ())
    ]
    expected = {key for key, row in truth["aws_ebs_volume"].items() if row["region"] != "eu-west-1"}
    assert set(found.rows["aws_ebs_volume"]) == expected


@pytest.mark.parametrize("kind", FAULTS)
def test_a_later_page_that_fails_keeps_the_first_and_truncates(kind: Fault, answers: Opener) -> None:
    call = registry.tables()["aws_s3_bucket"].list_call
    page = "<R><Buckets><Bucket><Name>a</Name></Bucket></Buckets><ContinuationToken>more</ContinuationToken></R>"
    found = []
    with fault("s3:ListBuckets", kind, after=1), answering("s3:ListBuckets", page), pytest.raises(Unanswered) as gap:
        found.extend(item["Name"] for item in answers().items(call))
    assert found == ["a"]
    assert gap.value.kind is GapKind.TRUNCATED
    assert "page 2" in gap.value.detail
    assert _kind("s3:ListBuckets", kind) in gap.value.detail


def test_a_list_that_says_there_is_more_is_truncated(answers: Opener) -> None:
    """An operation that botocore cannot page through, with an answer that is not all."""
    name = "cloudtrail:ListChannels"
    call = AwsCall(name=name, role="list", service="cloudtrail", operation="list_channels", items="Channels")
    found = []
    with answering(name, '{"Channels": [{"Name": "a"}], "NextToken": "x"}'), pytest.raises(Unanswered) as gap:
        found.extend(item["Name"] for item in answers().items(call))
    assert found == ["a"]
    assert gap.value.kind is GapKind.TRUNCATED


@pytest.mark.parametrize(("table", "name"), CALLS)
def test_an_empty_document_is_no_answer(table: str, name: str, answers: Opener) -> None:
    """A proxy's page, say: every column is unread or NULL, unless the API documents an empty answer."""
    call = registry.tables()[table].call(name)
    assert isinstance(call, AwsCall)
    body = "{}" if call.service in {"cloudtrail", "backup"} else "<Empty/>"
    with answering(name, body):
        client = answers()
        if call.role == "list":
            assert _gap(client, table, call).kind is GapKind.UNREADABLE
        elif not call.empty:
            assert _values(client, table, call) == set()


def _values(client: AwsAnswers, table: str, call: AwsCall) -> set[str]:
    """The columns that have a value after an answer."""
    columns = [column for column in registry.tables()[table].columns if column.call == call.name]
    try:
        response = client.ask(call, ITEMS[table])
    except Unanswered as gap:
        assert gap.kind is GapKind.UNREADABLE
        return set()
    return {column.name for column in columns if _value(column, response) is not None}


def _value(column: Column, response: Json) -> Json:
    try:
        return jmespath.search(column.value, response) if isinstance(column.value, str) else column.value(response)
    except (KeyError, ValueError, JMESPathError):
        return None


@pytest.mark.parametrize(
    ("table", "name", "code"),
    [
        (table, call.name, code)
        for table in TABLES
        for call in registry.tables()[table].calls
        for code in getattr(call, "absent", ())
    ],
)
def test_not_configured_is_a_value(table: str, name: str, code: str, answers: Opener) -> None:
    call = registry.tables()[table].call(name)
    with answering(name, _error(call, code), status=404):
        assert answers().ask(call, ITEMS[table]) == {}


def _error(call: Call, code: str) -> str:
    error = f"<Error><Code>{code}</Code><Message>none</Message></Error>"
    return f"<ErrorResponse>{error}</ErrorResponse>" if call.name.startswith("iam:") else error


@pytest.mark.parametrize(
    ("table", "name", "code", "expected"),
    [
        (
            "aws_account",
            "iam:GetAccountPasswordPolicy",
            "NoSuchEntity",
            {"password_policy_set": False, "password_minimum_length": 0, "password_reuse_prevention": 0},
        ),
        (
            "aws_account",
            "s3control:GetPublicAccessBlock",
            "NoSuchPublicAccessBlockConfiguration",
            {
                "s3_block_public_acls": False,
                "s3_ignore_public_acls": False,
                "s3_block_public_policy": False,
                "s3_restrict_public_buckets": False,
            },
        ),
    ],
)
def test_an_account_without_a_setting(
    table: str, name: str, code: str, expected: dict[str, Json], answers: Opener
) -> None:
    """The seeded account has these set; the buckets' defaults are in its truth."""
    call = registry.tables()[table].call(name)
    with answering(name, _error(call, code), status=404):
        response = answers().ask(call, ITEMS[table])
    columns = [column for column in registry.tables()[table].columns if column.call == name]
    assert {column.name: _value(column, response) for column in columns} == expected


def test_retries_are_counted(gather: Gather) -> None:
    with fault("s3:GetBucketVersioning", "throttled") as requests:
        found = gather("aws_s3_bucket", columns=["versioning_status"])
    assert found.retries == len(requests) - len(found.rows["aws_s3_bucket"])
    assert found.retries > len(found.rows["aws_s3_bucket"])
