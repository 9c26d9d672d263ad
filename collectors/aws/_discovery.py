"""Which accounts and regions there are, and whether they can be asked at all."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import exceptions as boto

from agent.errors import Unanswered, UsageError
from agent.model import Discovery, GapKind, Scope, UnlistedScopes
from agent.places import places
from collectors.aws import REGIONS
from collectors.aws._client import Account, AwsAnswers, Clients
from collectors.aws._errors import FAILURES, unusable

if TYPE_CHECKING:
    from collectors.aws import AwsSettings

DEFAULT_REGION = "us-east-1"


class Estate:
    """The accounts that the settings lead to. Making one asks each account who it is; raises `UsageError`."""

    def __init__(self, settings: AwsSettings) -> None:
        _check_regions(settings.regions)
        self._settings = settings
        self._clients = Clients(settings.endpoint_url, settings.timeout_seconds)
        self._accounts: dict[str, Account] = {}
        for profile in settings.profiles or ("",):
            self._add(profile)

    def discover(self, kinds: frozenset[str]) -> Discovery:
        """The scopes of these kinds in all accounts."""
        scopes: list[Scope] = []
        unlisted: list[UnlistedScopes] = []
        for account in self._accounts.values():
            if "account" in kinds:
                scopes.append(_scope("account", account.id))
            if "region" in kinds:
                found, unseen = self._regions(account)
                scopes += found
                unlisted += unseen
        return Discovery(scopes=tuple(scopes), unlisted=tuple(unlisted))

    def answers(self, scope: Scope) -> AwsAnswers:
        """A client for one scope."""
        account = self._accounts[scope.group]
        return AwsAnswers(self._clients, account, scope.labels.get("region", account.home_region))

    def _add(self, profile: str) -> None:
        who = f"AWS profile '{profile}'" if profile else "AWS default credential chain"
        try:
            session = botocore.session.Session(profile=profile or None)
            home = self._home_region(session)
            identity = self._identify(session, home)
        except FAILURES as error:
            raise unusable(error, who, self._settings.endpoint_url) from None
        if identity.id in self._accounts:
            raise UsageError(f"{who}: leads to account {identity.id} like another profile; keep one in aws.profiles")
        self._accounts[identity.id] = identity

    def _home_region(self, session: Any) -> str:
        configured = session.get_config_variable("region")
        return str(configured or next(iter(self._settings.regions), DEFAULT_REGION))

    def _identify(self, session: Any, home: str) -> Account:
        credentials = session.get_credentials()
        if credentials is None:
            raise boto.NoCredentialsError
        identity = self._clients.get(credentials, "sts", home).get_caller_identity()
        partition = identity["Arn"].split(":")[1]
        return Account(id=identity["Account"], partition=partition, home_region=home, credentials=credentials)

    def _regions(self, account: Account) -> tuple[list[Scope], list[UnlistedScopes]]:
        """The regions to look at, and those that are not: off, or enabled and left out by the settings."""
        try:
            listed = list(AwsAnswers(self._clients, account, account.home_region).items(REGIONS))
        except Unanswered as problem:
            return [], [_unlisted(account.id, "*", problem)]
        enabled = {region["RegionName"] for region in listed if region.get("OptInStatus") != "not-opted-in"}
        wanted = set(self._settings.regions) or enabled
        off = Unanswered(GapKind.UNSUPPORTED, "aws.regions names it, but the region is not enabled in this account")
        left = Unanswered(GapKind.NOT_COLLECTED, "the region is enabled, and aws.regions leaves it out")
        unseen = [(region, off) for region in wanted - enabled] + [(region, left) for region in enabled - wanted]
        return (
            [_scope("region", account.id, region) for region in sorted(wanted & enabled)],
            [_unlisted(account.id, region, why) for region, why in sorted(unseen, key=lambda pair: pair[0])],
        )


def _check_regions(regions: tuple[str, ...]) -> None:
    if not regions:
        return
    session = botocore.session.get_session()
    known = {region for name in session.get_available_partitions() for region in _codes(session, name)}
    known |= {place.code for place in places().values() if (place.provider, place.kind) == ("aws", "region")}
    for region in regions:
        if region not in known:
            near = difflib.get_close_matches(region, sorted(known), n=1, cutoff=0.0)[0]
            raise UsageError(f"aws.regions: '{region}' is not an AWS region; did you mean '{near}'?")


def _codes(session: Any, partition: str) -> list[str]:
    codes: list[str] = session.get_available_regions("ec2", partition_name=partition)
    return codes


def _scope(kind: str, account: str, region: str = "") -> Scope:
    name = f"aws/{account}/{region}" if region else f"aws/{account}"
    labels = {"account_id": account} | ({"region": region} if region else {})
    return Scope(source="aws", kind=kind, group=account, name=name, labels=labels)


def _unlisted(account: str, region: str, problem: Unanswered) -> UnlistedScopes:
    return UnlistedScopes(
        kind="region",
        group=account,
        name=f"aws/{account}/{region}",
        call=REGIONS.name,
        gap=problem.kind,
        detail=problem.detail,
        permission=problem.permission,
    )
