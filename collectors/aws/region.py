"""Table aws_region: every region of the partition, enabled or not."""

from __future__ import annotations

from agent.model import Column, Json, Table
from collectors.aws import REGIONS
from collectors.aws._call import AwsCall

_DEFAULTS = "ec2:GetEbsEncryptionByDefault"
_ENABLED = ("opt-in-not-required", "opted-in")


def _enabled(region: Json) -> bool | None:
    status = region.get("OptInStatus")
    return None if status is None else status in _ENABLED


TABLE = Table(
    name="aws_region",
    source="aws",
    scope="account",
    key="region",
    description="The regions of the account's partition, and their defaults.",
    calls=(
        REGIONS,
        AwsCall(
            name=_DEFAULTS,
            service="ec2",
            operation="get_ebs_encryption_by_default",
            region="RegionName",
            when="OptInStatus != 'not-opted-in'",
            permissions=("ec2:GetEbsEncryptionByDefault",),
        ),
    ),
    columns=(
        Column("region", "VARCHAR", "Code of the region.", REGIONS.name, "RegionName"),
        Column(
            "opt_in_status",
            "VARCHAR",
            "Whether the region must be switched on and is: opt-in-not-required, opted-in or not-opted-in.",
            REGIONS.name,
            "OptInStatus",
        ),
        Column("enabled", "BOOLEAN", "Whether the account can use the region.", REGIONS.name, _enabled),
        Column(
            "ebs_encryption_by_default",
            "BOOLEAN",
            "Whether new EBS volumes are encrypted unasked; NULL where the region is not enabled.",
            _DEFAULTS,
            "EbsEncryptionByDefault",
        ),
    ),
)
