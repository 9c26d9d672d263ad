"""Clients and credentials, and the plug that makes services fail."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import ClientError, CredentialRetrievalError

from agent import registry
from agent.errors import Unanswered
from agent.model import GapKind
from collectors.aws import IDENTITY
from collectors.aws._client import Account, AwsAnswers, Clients
from tests.estate import aws
from tests.faults import ANSWERED, fault, intercepted, operation

ONE_OF_EACH_PROTOCOL = {
    "ec2": "ec2:DescribeVpcs",
    "query": "iam:ListUsers",
    "rest-xml": "cloudfront:ListDistributions",
    "json": "kms:ListKeys",
    "rest-json": "lambda:ListFunctions",
    "smithy-rpc-v2-cbor": "eventbridgev2:ListEventBuses",
}


class Renewing:
    """Credentials that are others each time they are asked for."""

    def __init__(self) -> None:
        self.number = 0

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        self.number += 1
        return ReadOnlyCredentials(f"key-{self.number}", "secret", "token")


class Lost:
    """Credentials that cannot be renewed."""

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        raise CredentialRetrievalError(provider="sso", error_msg="SECRET")


def _answers(endpoint: str, credentials: Any) -> AwsAnswers:
    account = Account(id=aws.ACCOUNT, partition="aws", home_region=aws.HOME, credentials=credentials)
    return AwsAnswers(Clients(endpoint, 30), account, aws.HOME)


def test_renewed_credentials_are_used(endpoint: str) -> None:
    seen: list[str] = []
    with intercepted("sts:GetCallerIdentity", lambda request, **_: seen.append(str(request.headers["Authorization"]))):
        answers = _answers(endpoint, Renewing())
        for _ in range(2):
            list(answers.items(IDENTITY))
    assert ["key-1" in seen[0], "key-2" in seen[1]] == [True, True]


def test_credentials_that_are_lost_on_the_way_are_a_gap(endpoint: str) -> None:
    with pytest.raises(Unanswered) as gap:
        list(_answers(endpoint, Lost()).items(IDENTITY))
    assert gap.value.kind is GapKind.DENIED
    assert "SECRET" not in gap.value.detail


def test_a_client_is_made_once_and_by_any_thread(endpoint: str) -> None:
    clients = Clients(endpoint, 30)
    credentials = Credentials("a", "b")
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: clients.get(credentials, "ec2", "eu-west-1"), range(32)))
    assert len({id(client) for client in made}) == 1
    assert clients.get(credentials, "ec2", "eu-west-2") is not made[0]
    assert clients.get(Credentials("c", "d"), "ec2", "eu-west-1") is not made[0]


def test_requests_say_who_asks(endpoint: str) -> None:
    seen: list[str] = []
    with intercepted("ec2:DescribeRegions", lambda request, **_: seen.append(str(request.headers["User-Agent"]))):
        list(_answers(endpoint, Credentials("a", "b")).items(registry.tables()["aws_region"].list_call))
    assert "clausule" in seen[0]


@pytest.mark.parametrize("kind", ANSWERED)
@pytest.mark.parametrize("protocol", ONE_OF_EACH_PROTOCOL)
def test_a_fault_is_an_error_of_the_service(protocol: str, kind: Any) -> None:
    """Each protocol writes errors its own way; botocore must read the code out of ours."""
    call = ONE_OF_EACH_PROTOCOL[protocol]
    model = operation(call)
    assert model.service_model.resolved_protocol == protocol
    with fault(call, kind) as spoilt:
        session = botocore.session.get_session()
        client = session.create_client(
            call.partition(":")[0], region_name="us-east-1", config=Config(retries={"total_max_attempts": 1})
        )
        with pytest.raises(ClientError) as error:
            getattr(client, xform_name(model.name))()
    assert len(spoilt) == 1
    assert error.value.response["Error"]["Code"].isalpha()
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] >= 400


def test_a_fault_ends_with_its_block(endpoint: str) -> None:
    with fault("sts:GetCallerIdentity", "denied"):
        pass
    assert list(_answers(endpoint, Credentials("a", "b")).items(IDENTITY))


def test_moments_are_alike_in_all_protocols(endpoint: str, truth: aws.Truth) -> None:
    """XML writes ISO 8601, JSON seconds since 1970; `RECENT` only equals RFC 3339."""
    assert truth["aws_s3_bucket"]
    session = Clients(endpoint, 30)
    credentials = Credentials("a", "b")
    buckets = session.get(credentials, "s3", aws.HOME).list_buckets()["Buckets"]
    databases = session.get(credentials, "rds", aws.HOME).describe_db_instances()["DBInstances"]
    volumes = session.get(credentials, "ec2", aws.HOME).describe_volumes()["Volumes"]
    plans = session.get(credentials, "backup", aws.HOME).list_backup_plans()["BackupPlansList"]
    status = session.get(credentials, "cloudtrail", aws.HOME).get_trail_status(Name="loonwijs-audit")
    moments = [
        buckets[0]["CreationDate"],
        databases[0]["InstanceCreateTime"],
        volumes[0]["CreateTime"],
        plans[0]["CreationDate"],
        status["LatestDeliveryTime"],
    ]
    assert moments == [aws.RECENT] * 5
