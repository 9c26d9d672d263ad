"""The functions that take values out of answers."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.aws._bucket_policy import denies_plain_http
from collectors.aws._event_selectors import records_management_events, records_s3_write_events
from collectors.aws._time import rfc3339
from collectors.aws.backup_plan import FOR_EVER, copy_regions, min_retention_days
from collectors.aws.s3_bucket import encryption_algorithm, lock_days, region, replication_destinations

DENY: dict[str, Any] = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
ALLOW: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}


def _denies(*statements: dict[str, Any]) -> bool:
    return denies_plain_http(json.dumps({"Version": "2012-10-17", "Statement": statements}))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"AWS": ["*"]}},
        {"Action": ["s3:*"]},
        {"Action": "*"},
        {"Action": "S3:*"},
        {"Resource": "*"},
        {"Resource": "arn:aws:s3:::b*"},
        {"Resource": ["arn:aws-cn:s3:::b", "arn:aws-cn:s3:::b/*"]},
        {"Condition": {"Bool": {"AWS:securetransport": ["false"]}}},
        {"Condition": {"Bool": {"aws:SecureTransport": False}}},
        {"Condition": {"BoolIfExists": {"aws:SecureTransport": "false"}}},
    ],
)
def test_denies_plain_http(change: dict[str, Any]) -> None:
    assert _denies(DENY | change)


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Allow"},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Principal": {"Service": "*"}},
        {"Action": "s3:GetObject"},
        {"Action": ["s3:GetObject", "s3:PutObject"]},
        {"Resource": "arn:aws:s3:::b"},
        {"Resource": "arn:aws:s3:::b/*"},
        {"Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/public/*"]},
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Condition": {"StringEquals": {"aws:SecureTransport": "false"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:PrincipalOrgID": "o-1"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "false", "aws:ViaAWSService": "false"}}},
        {"Condition": {"NumericLessThan": {"s3:TlsVersion": 1.2}}},
        {"Condition": None},
    ],
)
def test_does_not_deny_plain_http(change: dict[str, Any]) -> None:
    assert not _denies(DENY | change)


def test_a_negated_element_does_not_count() -> None:
    for name in ("Principal", "Action", "Resource"):
        negated = {key: value for key, value in DENY.items() if key != name} | {f"Not{name}": DENY[name]}
        assert not _denies(negated)


def test_bucket_and_objects_may_be_denied_by_two_statements() -> None:
    bucket, objects = ({**DENY, "Resource": resource} for resource in DENY["Resource"])
    assert _denies(bucket, objects)
    assert not _denies(bucket)


def test_a_statement_may_stand_without_a_list() -> None:
    assert denies_plain_http(json.dumps({"Statement": DENY}))


def test_a_policy_that_is_no_json_is_an_error() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        denies_plain_http("<html>")


_STATEMENTS = st.builds(
    lambda effect, principal, action, resource, condition: {
        "Effect": effect,
        "Principal": principal,
        "Action": action,
        "Resource": resource,
        **condition,
    },
    st.sampled_from(["Allow", "Deny"]),
    st.sampled_from(["*", {"AWS": "*"}, {"AWS": "123456789012"}, {"Service": "s3.amazonaws.com"}]),
    st.sampled_from(["s3:*", ["s3:*"], "s3:GetObject", "*"]),
    st.sampled_from(["*", "arn:aws:s3:::b", "arn:aws:s3:::b/*", ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]]),
    st.sampled_from([{}, {"Condition": DENY["Condition"]}, {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}]),
)


@given(st.lists(_STATEMENTS, max_size=4), st.lists(_STATEMENTS, max_size=4), st.randoms())
def test_more_statements_never_take_a_denial_away(first: list[Any], second: list[Any], random: Any) -> None:
    together = [*first, *second]
    random.shuffle(together)
    assert _denies(*together) >= (_denies(*first) or _denies(*second))


@given(st.lists(_STATEMENTS, max_size=5))
def test_allowing_never_denies(statements: list[Any]) -> None:
    assert not _denies(*({**statement, "Effect": "Allow"} for statement in statements))


@given(st.integers(0, 7_000_000_000), st.integers(-14, 14))
def test_every_way_of_writing_a_moment_is_the_same(seconds: int, hours: int) -> None:
    utc = dt.datetime.fromtimestamp(seconds, dt.UTC)
    expected = utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    there = utc.astimezone(dt.timezone(dt.timedelta(hours=hours)))
    for written in (
        expected,
        expected.replace("Z", ".999Z"),
        there.isoformat(),
        seconds,
        seconds + 0.5,
        str(seconds),
        utc.strftime("%a, %d %b %Y %H:%M:%S GMT"),
    ):
        assert rfc3339(written) == expected


def test_what_is_no_moment_is_an_error() -> None:
    with pytest.raises(ValueError):
        rfc3339("yesterday")


def _classic(kind: str = "All", *, management: bool = True, data: tuple[str, ...] = ()) -> dict[str, Any]:
    resources = [{"Type": "AWS::S3::Object", "Values": list(data)}] if data else []
    return {"ReadWriteType": kind, "IncludeManagementEvents": management, "DataResources": resources}


def _advanced(**fields: dict[str, list[str]]) -> dict[str, Any]:
    return {"FieldSelectors": [{"Field": name.replace("__", "."), **rule} for name, rule in fields.items()]}


_MANAGEMENT = {"eventCategory": {"Equals": ["Management"]}}
_DATA = {"eventCategory": {"Equals": ["Data"]}, "resources__type": {"Equals": ["AWS::S3::Object"]}}
_WRITES = {"readOnly": {"Equals": ["false"]}}
_READS = {"readOnly": {"Equals": ["true"]}}


@pytest.mark.parametrize(
    ("classic", "advanced", "expected"),
    [
        ([_classic()], [], True),
        ([_classic("WriteOnly")], [], False),
        ([_classic("WriteOnly"), _classic("ReadOnly")], [], True),
        ([_classic(management=False)], [], False),
        ([], [_advanced(**_MANAGEMENT)], True),
        ([], [_advanced(**_MANAGEMENT, **_WRITES)], False),
        ([], [_advanced(**_MANAGEMENT, **_WRITES), _advanced(**_MANAGEMENT, **_READS)], True),
        ([], [_advanced(**_MANAGEMENT, eventSource={"NotEquals": ["kms.amazonaws.com"]})], True),
        ([], [_advanced(**_MANAGEMENT, eventSource={"NotEquals": ["iam.amazonaws.com"]})], False),
        ([], [_advanced(**_MANAGEMENT, eventSource={"Equals": ["iam.amazonaws.com"]})], False),
        ([], [_advanced(**_MANAGEMENT, eventName={"Equals": ["DeleteTrail"]})], False),
        ([], [_advanced(**_DATA)], False),
        ([], [], None),
    ],
)
def test_management_events(classic: list[Any], advanced: list[Any], expected: bool | None) -> None:
    assert records_management_events({"EventSelectors": classic, "AdvancedEventSelectors": advanced}) is expected


@pytest.mark.parametrize(
    ("classic", "advanced", "expected"),
    [
        ([_classic(data=("arn:aws:s3",))], [], True),
        ([_classic("WriteOnly", data=("arn:aws:s3:::",))], [], True),
        ([_classic("ReadOnly", data=("arn:aws:s3",))], [], False),
        ([_classic(data=("arn:aws:s3:::bucket/",))], [], False),
        ([_classic()], [], False),
        ([], [_advanced(**_DATA)], True),
        ([], [_advanced(**_DATA, **_WRITES)], True),
        ([], [_advanced(**_DATA, **_READS)], False),
        ([], [_advanced(**_DATA, resources__ARN={"StartsWith": ["arn:aws:s3:::bucket/"]})], False),
        ([], [_advanced(**_MANAGEMENT)], False),
        ([], [], None),
    ],
)
def test_s3_write_events(classic: list[Any], advanced: list[Any], expected: bool | None) -> None:
    assert records_s3_write_events({"EventSelectors": classic, "AdvancedEventSelectors": advanced}) is expected


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([{"Lifecycle": {"DeleteAfterDays": 35}}, {"Lifecycle": {"DeleteAfterDays": 7}}], 7),
        ([{}], FOR_EVER),
        ([{"Lifecycle": {"MoveToColdStorageAfterDays": 30}}], FOR_EVER),
        ([{"Lifecycle": {"DeleteAfterEvent": "DELETE_AFTER_COPY"}}], 0),
        (
            [
                {
                    "Lifecycle": {"DeleteAfterEvent": "DELETE_AFTER_COPY", "DeleteAfterDays": 90},
                    "CopyActions": [{"Lifecycle": {"DeleteAfterDays": 14}}, {}],
                }
            ],
            14,
        ),
        ([], None),
    ],
)
def test_retention_of_a_backup_plan(rules: list[Any], expected: int | None) -> None:
    assert min_retention_days({"BackupPlan": {"Rules": rules}}) == expected


def test_copies_of_a_backup_plan_by_region() -> None:
    vaults = [f"arn:aws:backup:{code}:123456789012:backup-vault:v" for code in ("us-east-1", "eu-west-1", "us-east-1")]
    rules = [{"CopyActions": [{"DestinationBackupVaultArn": vault}]} for vault in vaults]
    assert copy_regions({"BackupPlan": {"Rules": rules}}) == ["eu-west-1", "us-east-1"]


@pytest.mark.parametrize(("constraint", "code"), [(None, "us-east-1"), ("EU", "eu-west-1"), ("eu-west-2", "eu-west-2")])
def test_region_of_a_location_constraint(constraint: str | None, code: str) -> None:
    assert region({"LocationConstraint": constraint}) == code


def test_only_enabled_rules_replicate() -> None:
    rules = [
        {"Status": status, "Destination": {"Bucket": f"arn:aws:s3:::{status}"}}
        for status in ("Enabled", "Disabled", "Enabled")
    ]
    assert replication_destinations({"ReplicationConfiguration": {"Rules": rules}}) == ["arn:aws:s3:::Enabled"]


def test_a_rule_that_only_blocks_encryption_types_says_nothing_of_the_default() -> None:
    rules = [{"BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}}]
    assert encryption_algorithm({"ServerSideEncryptionConfiguration": {"Rules": rules}}) is None


def test_years_of_object_lock_are_days() -> None:
    assert (
        lock_days(
            {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Years": 7}}}}
        )
        == 2555
    )
    assert lock_days({"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}) == 0
