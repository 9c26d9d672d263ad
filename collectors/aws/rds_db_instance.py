"""Table aws_rds_db_instance."""

from __future__ import annotations

from agent.model import Column, Place, Table
from collectors.aws._call import AwsCall

_LIST = "rds:DescribeDBInstances"


def _column(name: str, kind: str, text: str, value: str) -> Column:
    return Column(name, kind, text, _LIST, value)


TABLE = Table(
    name="aws_rds_db_instance",
    source="aws",
    scope="region",
    key="arn",
    description="Database instances of Amazon RDS, with those of Aurora, Neptune and DocumentDB clusters.",
    place=Place(columns=("availability_zone", "region"), provider="aws"),
    calls=(
        AwsCall(
            name=_LIST,
            role="list",
            service="rds",
            operation="describe_db_instances",
            items="DBInstances",
            permissions=("rds:DescribeDBInstances",),
        ),
    ),
    columns=(
        _column("arn", "VARCHAR", "ARN of the instance.", "DBInstanceArn"),
        _column("identifier", "VARCHAR", "Name of the instance.", "DBInstanceIdentifier"),
        _column("engine", "VARCHAR", "Database engine: postgres, mysql, aurora-postgresql and so on.", "Engine"),
        _column("engine_version", "VARCHAR", "Version of the engine.", "EngineVersion"),
        _column("availability_zone", "VARCHAR", "Zone of the primary; NULL while it is created.", "AvailabilityZone"),
        _column("storage_encrypted", "BOOLEAN", "Whether the storage is encrypted.", "StorageEncrypted"),
        _column("kms_key_id", "VARCHAR", "ARN of the KMS key; empty when it is not encrypted.", "KmsKeyId || ''"),
        _column(
            "publicly_accessible",
            "BOOLEAN",
            "Whether its name resolves to a public address outside its network.",
            "PubliclyAccessible",
        ),
        _column("multi_az", "BOOLEAN", "Whether a standby is kept in another zone.", "MultiAZ"),
        _column("deletion_protection", "BOOLEAN", "Whether it cannot be deleted by accident.", "DeletionProtection"),
        _column(
            "backup_retention_days",
            "BIGINT",
            "Days that automated backups are kept; 0 when there are none.",
            "BackupRetentionPeriod",
        ),
        _column(
            "latest_restorable_time",
            "TIMESTAMP",
            "Latest moment that it can be restored to; NULL without automated backups.",
            "LatestRestorableTime",
        ),
        _column(
            "auto_minor_version_upgrade",
            "BOOLEAN",
            "Whether minor versions of the engine install themselves.",
            "AutoMinorVersionUpgrade",
        ),
        _column(
            "log_exports",
            "VARCHAR[]",
            "Logs that go to CloudWatch Logs; an empty list when none.",
            "sort(EnabledCloudwatchLogsExports || `[]`)",
        ),
        _column(
            "read_replicas",
            "VARCHAR[]",
            "Its read replicas: names in the same region, ARNs in others.",
            "sort(ReadReplicaDBInstanceIdentifiers || `[]`)",
        ),
        _column("ca_certificate", "VARCHAR", "Authority of its server certificate.", "CACertificateIdentifier"),
        _column(
            "iam_authentication_enabled",
            "BOOLEAN",
            "Whether users can log in with IAM credentials.",
            "IAMDatabaseAuthenticationEnabled",
        ),
    ),
)
