"""Table aws_account: settings that hold for a whole account."""

from __future__ import annotations

from agent.model import Column, Json, Table
from collectors.aws import IDENTITY
from collectors.aws._call import AwsCall
from collectors.aws._public_access import public_access_columns

_SUMMARY = "iam:GetAccountSummary"
_PASSWORDS = "iam:GetAccountPasswordPolicy"
_PUBLIC_ACCESS = "s3control:GetPublicAccessBlock"


def _counted(field: str, response: Json) -> bool | None:
    """Whether a 0 or 1 of the account summary is 1."""
    count = response["SummaryMap"].get(field)
    return None if count is None else count > 0


def _root_mfa(response: Json) -> bool | None:
    return _counted("AccountMFAEnabled", response)


def _root_keys(response: Json) -> bool | None:
    return _counted("AccountAccessKeysPresent", response)


def _password_number(field: str, response: Json) -> int | None:
    """A number of the password policy; 0 where there is no policy or it does not set the rule."""
    number: int | None = response.get("PasswordPolicy", {}).get(field, 0)
    return number


def _minimum_length(response: Json) -> int | None:
    return _password_number("MinimumPasswordLength", response)


def _reuse_prevention(response: Json) -> int | None:
    return _password_number("PasswordReusePrevention", response)


TABLE = Table(
    name="aws_account",
    source="aws",
    scope="account",
    key="account_id",
    description="The AWS accounts that were audited, with the settings that hold for all of their regions.",
    calls=(
        IDENTITY,
        AwsCall(name=_SUMMARY, service="iam", operation="get_account_summary", permissions=("iam:GetAccountSummary",)),
        AwsCall(
            name=_PASSWORDS,
            service="iam",
            operation="get_account_password_policy",
            absent=("NoSuchEntity",),
            permissions=("iam:GetAccountPasswordPolicy",),
        ),
        AwsCall(
            name=_PUBLIC_ACCESS,
            service="s3control",
            operation="get_public_access_block",
            request={"AccountId": "Account"},
            absent=("NoSuchPublicAccessBlockConfiguration",),
            permissions=("s3:GetAccountPublicAccessBlock",),
        ),
    ),
    columns=(
        Column(
            "arn",
            "VARCHAR",
            "ARN of the account, as policies write it.",
            IDENTITY.name,
            "join('', ['arn:', _scope.partition, ':iam::', Account, ':root'])",
        ),
        Column("root_mfa_enabled", "BOOLEAN", "Whether the root user has a second factor.", _SUMMARY, _root_mfa),
        Column("root_access_keys_present", "BOOLEAN", "Whether the root user has access keys.", _SUMMARY, _root_keys),
        Column(
            "password_policy_set",
            "BOOLEAN",
            "Whether the account has a password policy of its own.",
            _PASSWORDS,
            "contains(keys(@), 'PasswordPolicy')",
        ),
        Column(
            "password_minimum_length",
            "BIGINT",
            "Shortest password that IAM users may choose; 0 without a password policy.",
            _PASSWORDS,
            _minimum_length,
        ),
        Column(
            "password_reuse_prevention",
            "BIGINT",
            "How many earlier passwords may not be used again; 0 when none.",
            _PASSWORDS,
            _reuse_prevention,
        ),
        *public_access_columns(_PUBLIC_ACCESS, "s3_"),
    ),
)
