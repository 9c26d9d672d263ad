"""Table aws_ebs_volume."""

from __future__ import annotations

from agent.model import Column, Place, Table
from collectors.aws._call import AwsCall

_LIST = "ec2:DescribeVolumes"


def _column(name: str, kind: str, text: str, value: str) -> Column:
    return Column(name, kind, text, _LIST, value)


TABLE = Table(
    name="aws_ebs_volume",
    source="aws",
    scope="region",
    key="volume_id",
    description="Volumes of Amazon EBS, attached or not.",
    place=Place(columns=("availability_zone", "region"), provider="aws"),
    calls=(
        AwsCall(
            name=_LIST,
            role="list",
            service="ec2",
            operation="describe_volumes",
            items="Volumes",
            request={"MaxResults": "`500`"},  # without it EC2 makes one answer of all, which large accounts time out on
            permissions=("ec2:DescribeVolumes",),
        ),
    ),
    columns=(
        _column("volume_id", "VARCHAR", "Id of the volume.", "VolumeId"),
        _column("encrypted", "BOOLEAN", "Whether the volume is encrypted.", "Encrypted"),
        _column("kms_key_id", "VARCHAR", "ARN of the KMS key; empty when it is not encrypted.", "KmsKeyId || ''"),
        _column("state", "VARCHAR", "State: creating, available, in-use, deleting, deleted or error.", "State"),
        _column("size_gib", "BIGINT", "Size in GiB.", "Size"),
        _column("snapshot_id", "VARCHAR", "Snapshot it was made from; empty when none.", "SnapshotId || ''"),
        _column("availability_zone", "VARCHAR", "Zone that the data is in; may be a local zone.", "AvailabilityZone"),
        _column("attached", "BOOLEAN", "Whether an instance has it attached.", "length(Attachments) > `0`"),
        _column("create_time", "TIMESTAMP", "When it was made.", "CreateTime"),
    ),
)
