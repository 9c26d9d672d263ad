"""Every table against the seeded account: each column of each row is what was declared."""

from __future__ import annotations

from typing import Any

import pytest

from agent import registry
from collectors.aws._call import AwsCall
from tests.collectors.aws.conftest import TABLES, Gather, Opener
from tests.estate import aws
from tests.faults import answering, intercepted


@pytest.mark.parametrize("table", TABLES)
def test_rows_equal_the_truth(table: str, gather: Gather, truth: aws.Truth) -> None:
    found = gather(table)
    assert found.gaps == []
    assert set(found.rows[table]) == set(truth[table])
    for key, expected in truth[table].items():
        row = {name: value for name, value in found.rows[table][key].items() if not name.startswith("_")}
        assert row == expected


@pytest.mark.parametrize("table", TABLES)
def test_the_truth_has_good_and_bad(table: str, truth: aws.Truth) -> None:
    """A column that is the same everywhere proves little; these are the ones that moto cannot vary."""
    cannot = {
        "aws_rds_db_instance": {"latest_restorable_time"},
        "aws_s3_bucket": {"creation_date", "mfa_delete"},
        "aws_ebs_volume": {"create_time", "snapshot_id"},
        "aws_cloudtrail_trail": {"is_organization", "latest_delivery_error"},
        "aws_backup_plan": {"last_execution_time"},
    }
    rows = list(truth[table].values())
    same = {name for name in rows[0] if name != "account_id" and all(row[name] == rows[0][name] for row in rows)}
    if len(rows) > 1:
        assert same == cannot.get(table, set())


def test_only_the_planned_calls_are_made(gather: Gather) -> None:
    made: list[str] = []
    with _recording("s3:GetBucketEncryption", made), _recording("s3:GetBucketPolicy", made):
        found = gather("aws_s3_bucket", columns=["kms_key_id"])
    assert set(made) == {"s3:GetBucketEncryption"}
    assert set(next(iter(found.rows["aws_s3_bucket"].values()))) >= {"name", "kms_key_id"}


def _recording(call: str, made: list[str]) -> Any:
    return intercepted(call, lambda **_: made.append(call))


def test_second_pages(answers: Opener) -> None:
    pages = (
        "<R><Buckets><Bucket><Name>a</Name></Bucket></Buckets><ContinuationToken>more</ContinuationToken></R>",
        "<R><Buckets><Bucket><Name>b</Name></Bucket></Buckets></R>",
    )
    with answering("s3:ListBuckets", *pages):
        items = list(answers().items(registry.tables()["aws_s3_bucket"].list_call))
    assert [item["Name"] for item in items] == ["a", "b"]


def test_pages_of_a_row_call_are_one_answer(answers: Opener) -> None:
    call = AwsCall(name="iam:ListAccessKeys", service="iam", operation="list_access_keys", request={"UserName": "Name"})
    page = (
        "<R><ListAccessKeysResult><AccessKeyMetadata><member><UserName>{0}</UserName></member></AccessKeyMetadata>"
        "<IsTruncated>{1}</IsTruncated><Marker>m</Marker></ListAccessKeysResult></R>"
    )
    with answering("iam:ListAccessKeys", page.format("a", "true"), page.format("b", "false")):
        answer = answers().ask(call, {"Name": "x"})
    assert [key["UserName"] for key in answer["AccessKeyMetadata"]] == ["a", "b"]


def test_second_pages_of_the_server(endpoint: str, answers: Opener) -> None:
    """More databases than the 100 that RDS puts on a page."""
    import boto3

    rds = boto3.client("rds", region_name="ap-south-1", endpoint_url=endpoint)
    for number in range(103):
        rds.create_db_instance(DBInstanceIdentifier=f"db-{number}", DBInstanceClass="db.t3.micro", Engine="postgres")
    requests: list[str] = []
    with _recording("rds:DescribeDBInstances", requests):
        items = list(answers("ap-south-1").items(registry.tables()["aws_rds_db_instance"].list_call))
    for number in range(103):
        rds.delete_db_instance(DBInstanceIdentifier=f"db-{number}", SkipFinalSnapshot=True)
    assert len({item["DBInstanceIdentifier"] for item in items}) == 103
    assert len(requests) == 2


def test_a_bucket_is_asked_in_its_own_region_and_its_region_not_at_all(answers: Opener) -> None:
    """AWS tells a bucket's region in the list; then nothing is asked for it."""
    table = registry.tables()["aws_s3_bucket"]
    seen: list[str] = []
    item = {"Name": "b", "BucketRegion": "ap-northeast-1"}
    with (
        _recording("s3:GetBucketLocation", seen),
        intercepted("s3:GetBucketVersioning", lambda request, **_: seen.append(request.headers["Authorization"])),
    ):
        client = answers()
        assert client.ask(table.call("s3:GetBucketLocation"), item) == {"LocationConstraint": "ap-northeast-1"}
        with pytest.raises(Exception, match="NoSuchBucket"):
            client.ask(table.call("s3:GetBucketVersioning"), item)
    assert len(seen) == 1
    assert "/ap-northeast-1/s3/" in str(seen[0])


def test_shadow_trails_are_no_rows_but_those_of_the_organization_are(answers: Opener) -> None:
    body = (
        '{"trailList": ['
        '{"Name": "own", "HomeRegion": "eu-west-1"},'
        '{"Name": "shadow", "HomeRegion": "us-east-1"},'
        '{"Name": "organization", "HomeRegion": "eu-west-1", "IsOrganizationTrail": true}]}'
    )
    with answering("cloudtrail:DescribeTrails", body):
        items = list(answers("eu-west-1").items(registry.tables()["aws_cloudtrail_trail"].list_call))
    assert [item["Name"] for item in items] == ["own", "organization"]
