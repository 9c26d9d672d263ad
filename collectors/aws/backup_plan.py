"""Table aws_backup_plan: what AWS Backup makes, how long it keeps it and where it copies it."""

from __future__ import annotations

from agent.model import Column, Json, Table
from collectors.aws._call import AwsCall

_LIST = "backup:ListBackupPlans"
_GET = "backup:GetBackupPlan"
FOR_EVER = 36500
"""Days that stand for a recovery point that never expires: the longest retention that AWS Backup has."""


def _kept(rule: Json) -> int:
    """How long a rule keeps what it makes; what is deleted once it is copied lives as long as its shortest copy."""
    lifecycles = [rule.get("Lifecycle", {})]
    if lifecycles[0].get("DeleteAfterEvent") == "DELETE_AFTER_COPY":
        lifecycles = [copy.get("Lifecycle", {}) for copy in rule.get("CopyActions", [])]
    return min((lifecycle.get("DeleteAfterDays", FOR_EVER) for lifecycle in lifecycles), default=0)


def min_retention_days(response: Json) -> int | None:
    """The shortest retention of the plan's rules, in days; None without rules."""
    return min(map(_kept, response["BackupPlan"]["Rules"]), default=None)


def copy_destinations(response: Json) -> list[str]:
    """ARNs of the vaults that recovery points are copied to."""
    rules = response["BackupPlan"]["Rules"]
    return sorted({copy["DestinationBackupVaultArn"] for rule in rules for copy in rule.get("CopyActions", [])})


def copy_regions(response: Json) -> list[str]:
    """The regions of those vaults."""
    return sorted({arn.split(":")[3] for arn in copy_destinations(response)})


TABLE = Table(
    name="aws_backup_plan",
    source="aws",
    scope="region",
    key="arn",
    description="Plans of AWS Backup with their rules.",
    calls=(
        AwsCall(
            name=_LIST,
            role="list",
            service="backup",
            operation="list_backup_plans",
            items="BackupPlansList",
            permissions=("backup:ListBackupPlans",),
        ),
        AwsCall(
            name=_GET,
            service="backup",
            operation="get_backup_plan",
            request={"BackupPlanId": "BackupPlanId"},
            permissions=("backup:GetBackupPlan",),
        ),
    ),
    columns=(
        Column("arn", "VARCHAR", "ARN of the plan.", _LIST, "BackupPlanArn"),
        Column("plan_id", "VARCHAR", "Id of the plan.", _LIST, "BackupPlanId"),
        Column("name", "VARCHAR", "Name of the plan.", _LIST, "BackupPlanName"),
        Column(
            "last_execution_time",
            "TIMESTAMP",
            "When the plan last ran; NULL when it never did.",
            _LIST,
            "LastExecutionDate",
        ),
        Column(
            "schedules",
            "VARCHAR[]",
            "Schedules of its rules, as cron or rate expressions.",
            _GET,
            "sort(BackupPlan.Rules[].ScheduleExpression)",
        ),
        Column(
            "min_retention_days",
            "BIGINT",
            f"Days that its shortest rule keeps a recovery point; {FOR_EVER} when that is for ever.",
            _GET,
            min_retention_days,
        ),
        Column(
            "copy_destinations",
            "VARCHAR[]",
            "ARNs of the vaults that it copies to, in any region.",
            _GET,
            copy_destinations,
        ),
        Column("copy_regions", "VARCHAR[]", "Codes of the regions that it copies to.", _GET, copy_regions),
    ),
)
