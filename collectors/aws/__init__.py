"""The source AWS: accounts and their regions.

Every enabled region is a scope, inside the EU or not: who looks only where data should be does not find the data that
is elsewhere. boto3 is imported when the first scope is asked for, so that commands that need no AWS start fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec

from agent.model import Answers, Discovery, Scope
from collectors.aws._call import AwsCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collectors.aws._discovery import Estate

_ACCOUNT = "Number of the AWS account."

IDENTITY = AwsCall(
    name="sts:GetCallerIdentity",
    role="list",
    service="sts",
    operation="get_caller_identity",
    items="[@]",
    permissions=("sts:GetCallerIdentity",),
)
REGIONS = AwsCall(
    name="ec2:DescribeRegions",
    role="list",
    service="ec2",
    operation="describe_regions",
    items="Regions",
    request={"AllRegions": "`true`"},
    permissions=("ec2:DescribeRegions",),
)


class AwsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The section `aws` of `clausule.yaml`."""

    profiles: tuple[str, ...] = ()
    """Profiles of the AWS configuration, one for each account; empty for the default credential chain."""
    regions: tuple[str, ...] = ()
    """The only regions to look at; empty for every enabled one."""
    endpoint_url: str = ""
    """Where to ask instead of AWS, for emulators."""
    timeout_seconds: Annotated[int, msgspec.Meta(ge=1, le=900)] = 30
    """How long to wait for one answer."""


class AwsSource:
    """AWS accounts, each with its enabled regions."""

    name: ClassVar[str] = "aws"
    title: ClassVar[str] = "AWS"
    group_column: ClassVar[str] = "account_id"
    scope_columns: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "account": {"account_id": _ACCOUNT},
        "region": {"account_id": _ACCOUNT, "region": "Code of the AWS region that the resource was found in."},
    }
    Settings: ClassVar[type[msgspec.Struct]] = AwsSettings
    discovery: ClassVar[Mapping[str, tuple[AwsCall, ...]]] = {"account": (IDENTITY,), "region": (IDENTITY, REGIONS)}
    typical_scopes: ClassVar[Mapping[str, int]] = {"region": 17}
    """The regions that are enabled in a new account."""

    def __init__(self, settings: AwsSettings, audit_time: str) -> None:  # noqa: ARG002 - AWS is asked about now
        self._settings = settings
        self._found: Estate | None = None

    def discover(self, kinds: frozenset[str]) -> Discovery:
        """See `agent.model.Source.discover`; raises `UsageError` for bad credentials, endpoint or regions."""
        return self._estate().discover(kinds)

    def answers(self, scope: Scope) -> Answers:
        """See `agent.model.Source.answers`."""
        return self._estate().answers(scope)

    def _estate(self) -> Estate:
        from collectors.aws._discovery import Estate  # noqa: PLC0415 - imports boto3

        if self._found is None:
            self._found = Estate(self._settings)
        return self._found


SOURCE = AwsSource
