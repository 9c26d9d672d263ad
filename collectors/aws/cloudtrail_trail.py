"""Table aws_cloudtrail_trail.

A trail is a row once, in its home region. CloudTrail also shows trails of other regions and, in member accounts, the
organization's, as "shadow trails"; leaving those out would hide an organization's trail from its members.
"""

from __future__ import annotations

from agent.model import Column, Table
from collectors.aws._call import AwsCall
from collectors.aws._event_selectors import records_management_events, records_s3_write_events

_LIST = "cloudtrail:DescribeTrails"
_STATUS = "cloudtrail:GetTrailStatus"
_SELECTORS = "cloudtrail:GetEventSelectors"


TABLE = Table(
    name="aws_cloudtrail_trail",
    source="aws",
    scope="region",
    key="arn",
    description="Trails of AWS CloudTrail, each in its home region.",
    calls=(
        AwsCall(
            name=_LIST,
            role="list",
            service="cloudtrail",
            operation="describe_trails",
            items="trailList",
            only="HomeRegion == _scope.region",
            permissions=("cloudtrail:DescribeTrails",),
        ),
        AwsCall(
            name=_STATUS,
            service="cloudtrail",
            operation="get_trail_status",
            request={"Name": "TrailARN"},
            permissions=("cloudtrail:GetTrailStatus",),
        ),
        AwsCall(
            name=_SELECTORS,
            service="cloudtrail",
            operation="get_event_selectors",
            request={"TrailName": "TrailARN"},
            permissions=("cloudtrail:GetEventSelectors",),
        ),
    ),
    columns=(
        Column("arn", "VARCHAR", "ARN of the trail.", _LIST, "TrailARN"),
        Column("name", "VARCHAR", "Name of the trail.", _LIST, "Name"),
        Column("home_region", "VARCHAR", "Region that the trail was made in.", _LIST, "HomeRegion"),
        Column("s3_bucket_name", "VARCHAR", "Bucket that its log files go to.", _LIST, "S3BucketName"),
        Column("is_multi_region", "BOOLEAN", "Whether it records every region.", _LIST, "IsMultiRegionTrail"),
        Column(
            "is_organization",
            "BOOLEAN",
            "Whether it records every account of the organization.",
            _LIST,
            "IsOrganizationTrail",
        ),
        Column(
            "log_file_validation_enabled",
            "BOOLEAN",
            "Whether digests are written that show a changed log file.",
            _LIST,
            "LogFileValidationEnabled",
        ),
        Column("kms_key_id", "VARCHAR", "KMS key of the log files; empty when none.", _LIST, "KmsKeyId || ''"),
        Column("is_logging", "BOOLEAN", "Whether it records now.", _STATUS, "IsLogging"),
        Column(
            "latest_delivery_error",
            "VARCHAR",
            "Error of the last delivery to the bucket; empty when it worked.",
            _STATUS,
            "LatestDeliveryError || ''",
        ),
        Column(
            "latest_delivery_time",
            "TIMESTAMP",
            "When log files were last delivered; NULL when they never were.",
            _STATUS,
            "LatestDeliveryTime",
        ),
        Column(
            "records_management_events",
            "BOOLEAN",
            "Whether it records management events, reads and writes.",
            _SELECTORS,
            records_management_events,
        ),
        Column(
            "records_s3_write_events",
            "BOOLEAN",
            "Whether it records writes of objects in all buckets.",
            _SELECTORS,
            records_s3_write_events,
        ),
    ),
)
