"""Finding accounts and regions, and saying in one line why it cannot be done."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.errors import UsageError
from agent.model import Discovery, GapKind
from collectors.aws import SOURCE, AwsSettings
from tests.estate import aws
from tests.faults import answering, fault

BOTH = frozenset({"account", "region"})


def _discover(endpoint: str, kinds: frozenset[str] = BOTH, **settings: Any) -> Discovery:
    return SOURCE(AwsSettings(endpoint_url=endpoint, **settings), "").discover(kinds)


def test_scopes_are_the_account_and_its_enabled_regions(endpoint: str, truth: aws.Truth) -> None:
    enabled = {code for code, row in truth["aws_region"].items() if row["enabled"]}
    found = _discover(endpoint)
    assert not found.unlisted
    assert {scope.name for scope in found.scopes} == {
        f"aws/{aws.ACCOUNT}",
        *(f"aws/{aws.ACCOUNT}/{code}" for code in enabled),
    }
    assert {scope.group for scope in found.scopes} == {aws.ACCOUNT}
    for scope in found.scopes:
        assert set(scope.labels) == set(SOURCE.scope_columns[scope.kind])


def test_only_the_kinds_asked_for(endpoint: str) -> None:
    assert [scope.kind for scope in _discover(endpoint, frozenset({"account"})).scopes] == ["account"]
    assert {scope.kind for scope in _discover(endpoint, frozenset({"region"})).scopes} == {"region"}


def test_regions_of_the_settings_only(endpoint: str) -> None:
    found = _discover(endpoint, frozenset({"region"}), regions=("eu-west-2", "eu-west-1"))
    assert [scope.labels["region"] for scope in found.scopes] == ["eu-west-1", "eu-west-2"]


def test_a_region_that_is_named_but_switched_off_is_unlisted(endpoint: str) -> None:
    found = _discover(endpoint, frozenset({"region"}), regions=("eu-west-1", "eu-central-2"))
    assert [scopes.name for scopes in found.unlisted if scopes.gap is GapKind.UNSUPPORTED] == [
        f"aws/{aws.ACCOUNT}/eu-central-2"
    ]


def test_enabled_regions_that_the_settings_leave_out_are_unlisted(endpoint: str) -> None:
    """Looking only where data should be must not make the rest look clean."""
    everywhere = {scope.name for scope in _discover(endpoint, frozenset({"region"})).scopes}
    found = _discover(endpoint, frozenset({"region"}), regions=("eu-west-1",))
    left_out = {scopes.name for scopes in found.unlisted if scopes.gap is GapKind.NOT_COLLECTED}
    assert left_out == everywhere - {f"aws/{aws.ACCOUNT}/eu-west-1"}


def test_an_unknown_region_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"aws\.regions: 'eu-west1' is not an AWS region; did you mean 'eu-west-1'\?"):
        _discover("http://127.0.0.1:9", regions=("eu-west1",))


def test_a_zone_is_not_a_region() -> None:
    with pytest.raises(UsageError, match="'eu-central-1-ist-1a' is not an AWS region; did you mean 'eu-central-1'"):
        _discover("http://127.0.0.1:9", regions=("eu-central-1-ist-1a",))


@pytest.mark.parametrize("code", ["me-west-1", "eusc-de-east-1", "cn-north-1", "us-gov-west-1"])
def test_regions_of_other_partitions_are_known(code: str, endpoint: str) -> None:
    assert not _discover(endpoint, frozenset({"account"}), regions=(code,)).unlisted


def test_the_partition_is_that_of_the_identity(endpoint: str, truth: aws.Truth) -> None:
    body = (
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws-eusc:iam::123456789012:user/x</Arn>"
        "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
    with answering("sts:GetCallerIdentity", body):
        source = SOURCE(AwsSettings(endpoint_url=endpoint, regions=("eusc-de-east-1",)), "")
        (scope,) = source.discover(frozenset({"account"})).scopes
        from collectors.aws.s3_bucket import TABLE

        items = list(source.answers(scope).items(TABLE.list_call))
    assert len(items) == len(truth["aws_s3_bucket"])
    assert {item["_scope"]["partition"] for item in items} == {"aws-eusc"}


def test_denied_regions_are_unlisted_and_the_account_goes_on(endpoint: str) -> None:
    with fault("ec2:DescribeRegions", "denied"):
        found = _discover(endpoint)
    assert [scope.kind for scope in found.scopes] == ["account"]
    (unlisted,) = found.unlisted
    assert (unlisted.kind, unlisted.group, unlisted.gap) == ("region", aws.ACCOUNT, GapKind.DENIED)
    assert (unlisted.call, unlisted.permission) == ("ec2:DescribeRegions", "ec2:DescribeRegions")


def test_expired_credentials(endpoint: str) -> None:
    with fault("sts:GetCallerIdentity", "expired"), pytest.raises(UsageError) as error:
        _discover(endpoint)
    assert _one_line(error) == (
        "AWS default credential chain: the credentials have expired (ExpiredToken); "
        "log in again, for example: aws sso login"
    )


def test_refused_credentials(endpoint: str) -> None:
    with fault("sts:GetCallerIdentity", "region_off"), pytest.raises(UsageError) as error:
        _discover(endpoint)
    assert "AWS refused the credentials (InvalidClientTokenId); check" in _one_line(error)


def test_no_credentials(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(UsageError) as error:
        _discover(endpoint)
    assert "no credentials were found; set AWS_PROFILE" in _one_line(error)


def test_half_of_the_credentials(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(UsageError) as error:
        _discover(endpoint)
    assert "the credentials could not be obtained (PartialCredentialsError)" in _one_line(error)


def test_an_endpoint_that_is_not_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with fault("s3:ListBuckets", "denied"), pytest.raises(UsageError) as error:  # for the retries without waiting
            _discover(url)
    assert f"{url} could not be reached (EndpointConnectionError); check aws.endpoint_url" in _one_line(error)


def test_an_endpoint_that_is_no_url() -> None:
    with pytest.raises(UsageError) as error:
        _discover("moto")
    assert "moto gave no answer of AWS (ValueError)" in _one_line(error)


def test_an_endpoint_that_is_something_else(endpoint: str) -> None:
    with fault("sts:GetCallerIdentity", "malformed"), pytest.raises(UsageError) as error:
        _discover(endpoint)
    assert "gave no answer of AWS (ResponseParserError); check aws.endpoint_url" in _one_line(error)


def test_a_profile_that_does_not_exist(endpoint: str) -> None:
    with pytest.raises(UsageError) as error:
        _discover(endpoint, profiles=("productie",))
    assert "AWS profile 'productie': there is no such profile; correct aws.profiles" in _one_line(error)


def test_profiles_are_accounts(endpoint: str, tmp_path: Path) -> None:
    _write_profiles(tmp_path, "een", "twee")
    found = _discover(endpoint, frozenset({"account"}), profiles=("een",))
    assert [scope.group for scope in found.scopes] == [aws.ACCOUNT]
    with pytest.raises(UsageError, match="profile 'twee': leads to account 123456789012 like another profile"):
        _discover(endpoint, profiles=("een", "twee"))


def test_secrets_are_in_no_error(endpoint: str, tmp_path: Path) -> None:
    _write_profiles(tmp_path, "een")
    for kind in ("expired", "denied", "region_off", "timeout", "malformed"):
        with fault("sts:GetCallerIdentity", kind), pytest.raises(UsageError) as error:
            _discover(endpoint, profiles=("een",))
        assert "SECRET" not in _one_line(error)
        assert error.value.__cause__ is None


def _write_profiles(folder: Path, *names: str) -> None:
    keys = "aws_access_key_id = KEY\naws_secret_access_key = SECRET\nregion = eu-west-1\n"
    (folder / "config").write_text("".join(f"[profile {name}]\n{keys}" for name in names), encoding="utf-8")


def _one_line(error: pytest.ExceptionInfo[UsageError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert error.value.exit_code == 64
    return text


@pytest.mark.parametrize("given", [{"profile": ["a"]}, {"timeout_seconds": 0}, {"regions": "eu-west-1"}])
def test_settings_are_checked(given: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, AwsSettings)


def test_the_home_region_is_the_first_named_where_none_is_configured(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with fault("sts:GetCallerIdentity", "denied", region="eu-west-3") as spoilt, pytest.raises(UsageError):
        _discover(endpoint, regions=("eu-west-3",))
    assert spoilt


def test_a_server_of_its_own_process() -> None:
    """What the demo uses: the same estate on a server that is a process of its own."""
    code = (
        "from tests.estate import aws\n"
        "with aws.moto(own_process=True) as url:\n"
        "    print(sorted(aws.seed(url)['aws_s3_bucket'])[0])\n"
    )
    root = Path(__file__).parents[3]
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "loonwijs-analytics"
