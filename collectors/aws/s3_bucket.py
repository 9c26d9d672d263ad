"""Table aws_s3_bucket.

S3 answers "not configured" with an error code for most settings; each call says which code that is, and the columns
what it means. Buckets are asked about in their own region. AWS tells that region with the list; where an endpoint does
not, botocore follows S3's redirects and `s3:GetBucketLocation` tells it.
"""

from __future__ import annotations

from agent.model import Column, Extract, Json, Place, Table
from collectors.aws._bucket_policy import denies_plain_http
from collectors.aws._call import AwsCall
from collectors.aws._public_access import public_access_columns

_LIST = "s3:ListBuckets"
_LOCATION = "s3:GetBucketLocation"
_ENCRYPTION = "s3:GetBucketEncryption"
_VERSIONING = "s3:GetBucketVersioning"
_PUBLIC_ACCESS = "s3:GetPublicAccessBlock"
_POLICY_STATUS = "s3:GetBucketPolicyStatus"
_POLICY = "s3:GetBucketPolicy"
_LOGGING = "s3:GetBucketLogging"
_REPLICATION = "s3:GetBucketReplication"
_LOCK = "s3:GetObjectLockConfiguration"
_OWNERSHIP = "s3:GetBucketOwnershipControls"


def _ask(
    name: str, operation: str, permission: str, absent: str = "", known: str = "", *, empty: bool = False
) -> AwsCall:
    """A question about one bucket."""
    return AwsCall(
        name=name,
        service="s3",
        operation=operation,
        request={"Bucket": "Name"},
        region="BucketRegion",
        absent=(absent,) if absent else (),
        known=known,
        empty=empty,
        permissions=(permission,),
    )


def region(response: Json) -> str:
    """The region of a location constraint: S3 documents null for us-east-1, and EU in old buckets of eu-west-1."""
    constraint: str = response.get("LocationConstraint") or "us-east-1"
    return "eu-west-1" if constraint == "EU" else constraint


def _default_encryption(response: Json) -> Json:
    """The default encryption; None where the bucket has none configured."""
    rules = response["ServerSideEncryptionConfiguration"]["Rules"] if response else []
    return rules[0] if rules else None


def encryption_algorithm(response: Json) -> str | None:
    """The algorithm of the default encryption; `none` without one."""
    rule = _default_encryption(response)
    if rule is None:
        return "none"
    algorithm: str | None = rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm")
    return algorithm


def _kms_key(response: Json) -> str:
    rule = _default_encryption(response) or {}
    key: str = rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID", "")
    return key


def _bucket_key(response: Json) -> bool:
    rule = _default_encryption(response) or {}
    enabled: bool = rule.get("BucketKeyEnabled", False)
    return enabled


def _is_public(response: Json) -> bool | None:
    """S3 only calls a bucket's policy public; without a policy it is not."""
    public: bool | None = response["PolicyStatus"].get("IsPublic") if response else False
    return public


def _denies_plain_http(response: Json) -> bool:
    return denies_plain_http(response["Policy"]) if response else False


def replication_destinations(response: Json) -> list[str]:
    """ARNs of the buckets that enabled rules replicate to."""
    rules = response["ReplicationConfiguration"]["Rules"] if response else []
    return sorted({rule["Destination"]["Bucket"] for rule in rules if rule["Status"] == "Enabled"})


def _locks(response: Json) -> bool:
    return bool(response) and response["ObjectLockConfiguration"]["ObjectLockEnabled"] == "Enabled"


def _retention(response: Json) -> Json:
    return response["ObjectLockConfiguration"].get("Rule", {}).get("DefaultRetention", {}) if _locks(response) else {}


def _lock_mode(response: Json) -> str:
    mode: str = _retention(response).get("Mode", "")
    return mode


def lock_days(response: Json) -> int:
    """Days of the default retention, a year counting 365; 0 without one."""
    retention = _retention(response)
    days: int = retention.get("Days", 0) + 365 * retention.get("Years", 0)
    return days


def _ownership(response: Json) -> str:
    """S3 treats a bucket without ownership controls as ObjectWriter: such buckets are older than the controls."""
    ownership: str = response["OwnershipControls"]["Rules"][0]["ObjectOwnership"] if response else "ObjectWriter"
    return ownership


def _column(name: str, text: str, call: str, value: Extract, kind: str = "VARCHAR") -> Column:
    return Column(name, kind, text, call, value)


TABLE = Table(
    name="aws_s3_bucket",
    source="aws",
    scope="account",
    key="name",
    description="General purpose buckets of Amazon S3.",
    place=Place(columns=("region",), provider="aws"),
    calls=(
        AwsCall(
            name=_LIST,
            role="list",
            service="s3",
            operation="list_buckets",
            items="Buckets",
            request={"MaxBuckets": "`1000`"},  # S3 adds BucketRegion only to requests that have a parameter
            permissions=("s3:ListAllMyBuckets",),
        ),
        _ask(
            _LOCATION,
            "get_bucket_location",
            "s3:GetBucketLocation",
            known="BucketRegion && {LocationConstraint: BucketRegion}",
            empty=True,
        ),
        _ask(
            _ENCRYPTION,
            "get_bucket_encryption",
            "s3:GetEncryptionConfiguration",
            "ServerSideEncryptionConfigurationNotFoundError",
        ),
        _ask(_VERSIONING, "get_bucket_versioning", "s3:GetBucketVersioning", empty=True),
        _ask(
            _PUBLIC_ACCESS,
            "get_public_access_block",
            "s3:GetBucketPublicAccessBlock",
            "NoSuchPublicAccessBlockConfiguration",
        ),
        _ask(_POLICY_STATUS, "get_bucket_policy_status", "s3:GetBucketPolicyStatus", "NoSuchBucketPolicy"),
        _ask(_POLICY, "get_bucket_policy", "s3:GetBucketPolicy", "NoSuchBucketPolicy"),
        _ask(_LOGGING, "get_bucket_logging", "s3:GetBucketLogging", empty=True),
        _ask(
            _REPLICATION,
            "get_bucket_replication",
            "s3:GetReplicationConfiguration",
            "ReplicationConfigurationNotFoundError",
        ),
        _ask(
            _LOCK,
            "get_object_lock_configuration",
            "s3:GetBucketObjectLockConfiguration",
            "ObjectLockConfigurationNotFoundError",
        ),
        _ask(
            _OWNERSHIP,
            "get_bucket_ownership_controls",
            "s3:GetBucketOwnershipControls",
            "OwnershipControlsNotFoundError",
        ),
    ),
    columns=(
        _column("name", "Name of the bucket.", _LIST, "Name"),
        _column("arn", "ARN of the bucket.", _LIST, "join('', ['arn:', _scope.partition, ':s3:::', Name])"),
        _column("creation_date", "When it was made, or last changed in some ways.", _LIST, "CreationDate", "TIMESTAMP"),
        _column("region", "Code of the region that its objects are in.", _LOCATION, region),
        _column(
            "encryption_algorithm",
            "Default encryption of new objects: AES256, aws:kms, aws:kms:dsse, or none.",
            _ENCRYPTION,
            encryption_algorithm,
        ),
        _column("kms_key_id", "KMS key of the default encryption; empty for a key of AWS.", _ENCRYPTION, _kms_key),
        _column("bucket_key_enabled", "Whether a bucket key saves calls to KMS.", _ENCRYPTION, _bucket_key, "BOOLEAN"),
        _column("versioning_status", "Enabled, Suspended, or Disabled.", _VERSIONING, "Status || 'Disabled'"),
        _column(
            "mfa_delete",
            "Whether deleting a version takes a second factor.",
            _VERSIONING,
            "MFADelete == 'Enabled'",
            "BOOLEAN",
        ),
        *public_access_columns(_PUBLIC_ACCESS),
        _column(
            "policy_is_public", "Whether S3 judges its policy to be public.", _POLICY_STATUS, _is_public, "BOOLEAN"
        ),
        _column(
            "policy_denies_plain_http",
            "Whether its policy denies everyone every request without TLS.",
            _POLICY,
            _denies_plain_http,
            "BOOLEAN",
        ),
        _column(
            "logging_target_bucket",
            "Bucket that its access log goes to; empty when there is no access log.",
            _LOGGING,
            "LoggingEnabled.TargetBucket || ''",
        ),
        _column(
            "replication_destinations",
            "ARNs of the buckets that enabled rules replicate to.",
            _REPLICATION,
            replication_destinations,
            "VARCHAR[]",
        ),
        _column(
            "object_lock_enabled",
            "Whether objects can be locked against deletion.",
            _LOCK,
            _locks,
            "BOOLEAN",
        ),
        _column("object_lock_mode", "Default lock: GOVERNANCE, COMPLIANCE, or empty.", _LOCK, _lock_mode),
        _column(
            "object_lock_days", "Days that new objects are locked; 0 when they are not.", _LOCK, lock_days, "BIGINT"
        ),
        _column(
            "object_ownership",
            "Who owns new objects; ObjectWriter where that is not configured.",
            _OWNERSHIP,
            _ownership,
        ),
    ),
)
