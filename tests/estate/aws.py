"""An AWS account on a real server: `aws.yaml` is put on moto through boto3, and says what a collector must find.

`seed` returns the truth: for each table the rows by key, computed from the same declarations. Ids that the server makes
up are filled in from its answers to the seeding.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import boto3
import msgspec

from agent import documents

ACCOUNT = "123456789012"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "eu-central-1"}
"""What to put in the environment to be let in."""
HOME = KEYS["AWS_DEFAULT_REGION"]
FOR_EVER = 36500

Truth = dict[str, dict[str, dict[str, Any]]]
"""Table to key to column to value."""


class _Recent:
    """Equals an RFC 3339 moment within a day of now."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, str):
            return other is self
        moment = dt.datetime.strptime(other, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
        return abs(dt.datetime.now(dt.UTC) - moment) < dt.timedelta(days=1)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "<a moment of today>"


RECENT = _Recent()


class _Declared(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something declared in `aws.yaml`."""


Blocking = Literal["all", "acls", "none"]
_SWITCHES = ("block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets")
_ON: dict[Blocking, tuple[str, ...]] = {"all": _SWITCHES, "acls": _SWITCHES[:2], "none": ()}


class AccountSettings(_Declared, frozen=True, kw_only=True):
    password_minimum_length: int
    password_reuse_prevention: int
    public_access_block: Blocking


class Lock(_Declared, frozen=True, kw_only=True):
    mode: str = ""
    days: int = 0
    years: int = 0


class Bucket(_Declared, frozen=True, kw_only=True):
    name: str
    region: str
    encryption: str = "none"
    kms_key_id: str = ""
    bucket_key: bool = False
    versioning: str = "Disabled"
    public_access_block: Blocking = "none"
    policy: tuple[Literal["https_only", "public_read", "log_delivery"], ...] = ()
    logs_to: str = ""
    replicates_to: tuple[str, ...] = ()
    lock: Lock | None = None
    ownership: str = ""


class Replica(_Declared, frozen=True, kw_only=True):
    identifier: str
    region: str


class Database(_Declared, frozen=True, kw_only=True):
    identifier: str
    region: str
    engine: str
    engine_version: str
    storage_encrypted: bool = False
    kms_key_id: str = ""
    publicly_accessible: bool = False
    multi_az: bool = False
    deletion_protection: bool = False
    backup_retention_days: int
    auto_minor_version_upgrade: bool = False
    log_exports: tuple[str, ...] = ()
    iam_authentication_enabled: bool = False
    ca_certificate: str = "rds-ca-default"
    replica: Replica | None = None


class Volume(_Declared, frozen=True, kw_only=True):
    name: str
    availability_zone: str
    size_gib: int
    kms_key_id: str = ""
    attached: bool = False

    @property
    def region(self) -> str:
        return self.availability_zone[:-1]


class Trail(_Declared, frozen=True, kw_only=True):
    name: str
    home_region: str
    s3_bucket_name: str
    is_multi_region: bool = False
    log_file_validation_enabled: bool = False
    kms_key_id: str = ""
    is_logging: bool = False
    selectors: tuple[dict[str, Any], ...] = ()
    advanced_selectors: tuple[tuple[dict[str, Any], ...], ...] = ()
    records_management_events: bool
    records_s3_write_events: bool


class Rule(_Declared, frozen=True, kw_only=True):
    schedule: str
    delete_after_days: int | None = None
    copies_to: tuple[str, ...] = ()


class Plan(_Declared, frozen=True, kw_only=True):
    name: str
    region: str
    rules: tuple[Rule, ...]


class Estate(_Declared, frozen=True, kw_only=True):
    account: AccountSettings
    regions_with_ebs_encryption: tuple[str, ...]
    buckets: tuple[Bucket, ...]
    databases: tuple[Database, ...]
    volumes: tuple[Volume, ...]
    trails: tuple[Trail, ...]
    plans: tuple[Plan, ...]


ESTATE = documents.load(Path(__file__).with_suffix(".yaml"), Estate)


@contextmanager
def moto(*, own_process: bool = False) -> Iterator[str]:
    """An empty moto server on a free port of loopback, in a thread or in a process of its own; yields its URL."""
    with _process() if own_process else _thread() as url:
        urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST"), timeout=30).close()
        yield url


@contextmanager
def _thread() -> Iterator[str]:
    from moto.server import ThreadedMotoServer  # takes a second, and the process needs it not

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextmanager
def _process() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, env=os.environ | KEYS, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(f"http://127.0.0.1:{port}", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=10)


def _wait(url: str, server: subprocess.Popen[bytes], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/moto-api/data.json", timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"moto_server did not start at {url}")


def seed(url: str, estate: Estate = ESTATE) -> Truth:
    """Put the estate on the server at `url`; returns what is there."""
    seeding = _Seeding(url)
    return {
        "aws_account": seeding.account(estate.account),
        "aws_region": seeding.regions(estate.regions_with_ebs_encryption),
        "aws_s3_bucket": seeding.buckets(estate.buckets),
        "aws_rds_db_instance": seeding.databases(estate.databases),
        "aws_ebs_volume": seeding.volumes(estate.volumes),
        "aws_cloudtrail_trail": dict(map(seeding.trail, estate.trails)),
        "aws_backup_plan": dict(map(seeding.plan, estate.plans)),
    }


class _Seeding:
    """Makes resources; each method returns the truth of what it made."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = boto3.Session(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"])

    def _client(self, service: str, region: str = HOME) -> Any:
        return self._session.client(service, region_name=region, endpoint_url=self._url)

    def account(self, settings: AccountSettings) -> dict[str, dict[str, Any]]:
        self._client("iam").update_account_password_policy(
            MinimumPasswordLength=settings.password_minimum_length,
            PasswordReusePrevention=settings.password_reuse_prevention,
        )
        control = self._client("s3control")
        control.meta.events.register("before-sign.s3-control", without_account_in_host)
        control.put_public_access_block(
            AccountId=ACCOUNT, PublicAccessBlockConfiguration=_blocking(settings.public_access_block)
        )
        row = {
            "account_id": ACCOUNT,
            "arn": f"arn:aws:iam::{ACCOUNT}:root",
            "root_mfa_enabled": False,  # moto has no root user that could be set otherwise
            "root_access_keys_present": False,
            "password_policy_set": True,
            "password_minimum_length": settings.password_minimum_length,
            "password_reuse_prevention": settings.password_reuse_prevention,
        }
        return {ACCOUNT: row | _blocked(settings.public_access_block, "s3_")}

    def regions(self, encrypting: tuple[str, ...]) -> dict[str, dict[str, Any]]:
        for region in encrypting:
            self._client("ec2", region).enable_ebs_encryption_by_default()
        regions = self._client("ec2").describe_regions(AllRegions=True)["Regions"]
        return {region["RegionName"]: _region(region, encrypting) for region in regions}

    def buckets(self, buckets: tuple[Bucket, ...]) -> dict[str, dict[str, Any]]:
        for bucket in buckets:
            self._make_bucket(bucket)
        for bucket in buckets:
            self._configure_bucket(bucket)
        return {bucket.name: _bucket(bucket) for bucket in buckets}

    def _make_bucket(self, bucket: Bucket) -> None:
        request: dict[str, Any] = {"Bucket": bucket.name, "ObjectLockEnabledForBucket": bucket.lock is not None}
        if bucket.region != "us-east-1":
            request["CreateBucketConfiguration"] = {"LocationConstraint": bucket.region}
        s3 = self._client("s3", bucket.region)
        s3.create_bucket(**request)
        if bucket.versioning != "Disabled":
            s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": bucket.versioning})
        if bucket.policy:
            statements = [_STATEMENTS[name](bucket.name) for name in bucket.policy]
            s3.put_bucket_policy(Bucket=bucket.name, Policy=_policy(statements))

    def _configure_bucket(self, bucket: Bucket) -> None:
        s3 = self._client("s3", bucket.region)
        for operation, request in _bucket_requests(bucket):
            getattr(s3, operation)(Bucket=bucket.name, **request)

    def databases(self, databases: tuple[Database, ...]) -> dict[str, dict[str, Any]]:
        rows = [row for database in databases for row in self._database(database)]
        return {row["arn"]: row for row in rows}

    def _database(self, database: Database) -> Iterator[dict[str, Any]]:
        made = self._client("rds", database.region).create_db_instance(
            DBInstanceIdentifier=database.identifier,
            DBInstanceClass="db.t4g.medium",
            Engine=database.engine,
            EngineVersion=database.engine_version,
            AllocatedStorage=20,
            AvailabilityZone=f"{database.region}a",
            MasterUsername="beheer",
            MasterUserPassword="not-a-real-one",
            StorageEncrypted=database.storage_encrypted,
            **({"KmsKeyId": database.kms_key_id} if database.kms_key_id else {}),
            PubliclyAccessible=database.publicly_accessible,
            MultiAZ=database.multi_az,
            DeletionProtection=database.deletion_protection,
            BackupRetentionPeriod=database.backup_retention_days,
            AutoMinorVersionUpgrade=database.auto_minor_version_upgrade,
            EnableCloudwatchLogsExports=list(database.log_exports),
            EnableIAMDatabaseAuthentication=database.iam_authentication_enabled,
            CACertificateIdentifier=database.ca_certificate,
        )["DBInstance"]
        replicas: list[str] = []
        if database.replica:
            copy = self._replica(database.replica, made["DBInstanceArn"])
            replicas = [copy["DBInstanceArn"]]
            yield _database_row(database, database.replica.identifier, database.replica.region, [])
        yield _database_row(database, database.identifier, database.region, replicas)

    def _replica(self, replica: Replica, source: str) -> dict[str, Any]:
        made: dict[str, Any] = self._client("rds", replica.region).create_db_instance_read_replica(
            DBInstanceIdentifier=replica.identifier,
            SourceDBInstanceIdentifier=source,
            AvailabilityZone=f"{replica.region}a",
        )["DBInstance"]
        return made

    def volumes(self, volumes: tuple[Volume, ...]) -> dict[str, dict[str, Any]]:
        rows = [row for volume in volumes for row in self._volume(volume)]
        return {row["volume_id"]: row for row in rows}

    def _volume(self, volume: Volume) -> Iterator[dict[str, Any]]:
        ec2 = self._client("ec2", volume.region)
        made = ec2.create_volume(
            AvailabilityZone=volume.availability_zone,
            Size=volume.size_gib,
            Encrypted=bool(volume.kms_key_id),
            TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": volume.name}]}],
            **({"KmsKeyId": volume.kms_key_id} if volume.kms_key_id else {}),
        )["VolumeId"]
        if volume.attached:
            instance, root = _instance(ec2, volume)
            ec2.attach_volume(VolumeId=made, InstanceId=instance, Device="/dev/sdf")
            yield _volume_row(volume, root, _ROOT_GIB)
        yield _volume_row(volume, made, volume.size_gib)

    def trail(self, trail: Trail) -> tuple[str, dict[str, Any]]:
        cloudtrail = self._client("cloudtrail", trail.home_region)
        arn = cloudtrail.create_trail(
            Name=trail.name,
            S3BucketName=trail.s3_bucket_name,
            IsMultiRegionTrail=trail.is_multi_region,
            EnableLogFileValidation=trail.log_file_validation_enabled,
            **({"KmsKeyId": trail.kms_key_id} if trail.kms_key_id else {}),
        )["TrailARN"]
        if trail.advanced_selectors:
            advanced = [{"FieldSelectors": fields} for fields in trail.advanced_selectors]
            cloudtrail.put_event_selectors(TrailName=trail.name, AdvancedEventSelectors=advanced)
        else:
            cloudtrail.put_event_selectors(TrailName=trail.name, EventSelectors=trail.selectors)
        if trail.is_logging:
            cloudtrail.start_logging(Name=trail.name)
        declared = msgspec.to_builtins(trail)
        row = {key: value for key, value in declared.items() if key not in {"selectors", "advanced_selectors"}}
        return arn, row | {
            "account_id": ACCOUNT,
            "region": trail.home_region,
            "arn": arn,
            "is_organization": False,
            "latest_delivery_error": "",
            "latest_delivery_time": RECENT if trail.is_logging else None,
        }

    def plan(self, plan: Plan) -> tuple[str, dict[str, Any]]:
        backup = self._client("backup", plan.region)
        if not backup.list_backup_vaults()["BackupVaultList"]:
            backup.create_backup_vault(BackupVaultName=_VAULT)
        rules = [_rule(number, rule) for number, rule in enumerate(plan.rules, 1)]
        made = backup.create_backup_plan(BackupPlan={"BackupPlanName": plan.name, "Rules": rules})
        regions = sorted({region for rule in plan.rules for region in rule.copies_to})
        return made["BackupPlanArn"], {
            "account_id": ACCOUNT,
            "region": plan.region,
            "arn": made["BackupPlanArn"],
            "plan_id": made["BackupPlanId"],
            "name": plan.name,
            "last_execution_time": None,  # moto runs no plans
            "schedules": sorted(rule.schedule for rule in plan.rules),
            "min_retention_days": min(rule.delete_after_days or FOR_EVER for rule in plan.rules),
            "copy_destinations": sorted(map(_vault, regions)),
            "copy_regions": regions,
        }


_VAULT = "loonwijs"
_ROOT_GIB = 30


def without_account_in_host(request: Any, **_: object) -> None:
    request.url = request.url.replace(f"://{ACCOUNT}.", "://", 1)


def _policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


_STATEMENTS = {
    "https_only": lambda name: {
        "Sid": "AlleenHttps",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},  # moto fails on "*" in a bucket that access logs go to
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    },
    "public_read": lambda name: {
        "Sid": "Iedereen",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{name}/*",
    },
    "log_delivery": lambda name: {
        "Sid": "Logs",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{name}/*",
    },
}


def _blocked(blocking: Blocking, prefix: str = "") -> dict[str, bool]:
    return {prefix + switch: switch in _ON[blocking] for switch in _SWITCHES}


def _blocking(blocking: Blocking) -> dict[str, bool]:
    """The same in the words of S3: `BlockPublicAcls`."""
    return {"".join(map(str.capitalize, key.split("_"))): value for key, value in _blocked(blocking).items()}


def _region(region: dict[str, Any], encrypting: tuple[str, ...]) -> dict[str, Any]:
    enabled = region["OptInStatus"] != "not-opted-in"
    return {
        "account_id": ACCOUNT,
        "region": region["RegionName"],
        "opt_in_status": region["OptInStatus"],
        "enabled": enabled,
        "ebs_encryption_by_default": region["RegionName"] in encrypting if enabled else None,
    }


def _bucket_requests(bucket: Bucket) -> Iterator[tuple[str, dict[str, Any]]]:
    """The calls that give a bucket its settings."""
    if bucket.encryption != "none":
        default = {"SSEAlgorithm": bucket.encryption}
        default |= {"KMSMasterKeyID": bucket.kms_key_id} if bucket.kms_key_id else {}
        rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bucket.bucket_key}
        yield "put_bucket_encryption", {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}
    if bucket.public_access_block != "none":
        yield "put_public_access_block", {"PublicAccessBlockConfiguration": _blocking(bucket.public_access_block)}
    if bucket.logs_to:
        target = {"TargetBucket": bucket.logs_to, "TargetPrefix": f"{bucket.name}/"}
        yield "put_bucket_logging", {"BucketLoggingStatus": {"LoggingEnabled": target}}
    if bucket.replicates_to:
        rules = [_replication(number, name) for number, name in enumerate(bucket.replicates_to, 1)]
        role = f"arn:aws:iam::{ACCOUNT}:role/replicatie"
        yield "put_bucket_replication", {"ReplicationConfiguration": {"Role": role, "Rules": rules}}
    if bucket.lock:
        length = {"Years": bucket.lock.years} if bucket.lock.years else {"Days": bucket.lock.days}
        rule = {"DefaultRetention": {"Mode": bucket.lock.mode, **length}}
        yield (
            "put_object_lock_configuration",
            {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": rule}},
        )
    if bucket.ownership:
        rules = [{"ObjectOwnership": bucket.ownership}]
        yield "put_bucket_ownership_controls", {"OwnershipControls": {"Rules": rules}}


def _replication(number: int, target: str) -> dict[str, Any]:
    return {
        "ID": f"kopie-{number}",
        "Priority": number,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{target}"},
    }


def _bucket(bucket: Bucket) -> dict[str, Any]:
    lock = bucket.lock or Lock()
    return _blocked(bucket.public_access_block) | {
        "account_id": ACCOUNT,
        "name": bucket.name,
        "arn": f"arn:aws:s3:::{bucket.name}",
        "creation_date": RECENT,
        "region": bucket.region,
        "encryption_algorithm": bucket.encryption,
        "kms_key_id": bucket.kms_key_id,
        "bucket_key_enabled": bucket.bucket_key,
        "versioning_status": bucket.versioning,
        "mfa_delete": False,  # only the root user can set it, and moto has none
        "policy_is_public": "public_read" in bucket.policy,
        "policy_denies_plain_http": "https_only" in bucket.policy,
        "logging_target_bucket": bucket.logs_to,
        "replication_destinations": sorted(f"arn:aws:s3:::{name}" for name in bucket.replicates_to),
        "object_lock_enabled": bucket.lock is not None,
        "object_lock_mode": lock.mode,
        "object_lock_days": lock.days + 365 * lock.years,
        "object_ownership": bucket.ownership or "ObjectWriter",
    }


def _database_row(database: Database, identifier: str, region: str, replicas: list[str]) -> dict[str, Any]:
    declared = msgspec.to_builtins(database)
    del declared["replica"]
    return declared | {
        "account_id": ACCOUNT,
        "region": region,
        "identifier": identifier,
        "arn": f"arn:aws:rds:{region}:{ACCOUNT}:db:{identifier}",
        "availability_zone": f"{region}a",
        "latest_restorable_time": RECENT,
        "read_replicas": replicas,
        "log_exports": sorted(database.log_exports),
    }


def _instance(ec2: Any, volume: Volume) -> tuple[str, str]:
    """A server in the volume's zone: its id, and that of its root volume."""
    disk = {"VolumeSize": _ROOT_GIB, "Encrypted": bool(volume.kms_key_id), "KmsKeyId": volume.kms_key_id}
    made = ec2.run_instances(
        ImageId="ami-12c6146b",
        InstanceType="t3.medium",
        MinCount=1,
        MaxCount=1,
        Placement={"AvailabilityZone": volume.availability_zone},
        BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": disk}],
    )["Instances"][0]
    return made["InstanceId"], made["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]


def _volume_row(volume: Volume, volume_id: str, size: int) -> dict[str, Any]:
    return {
        "account_id": ACCOUNT,
        "region": volume.region,
        "volume_id": volume_id,
        "encrypted": bool(volume.kms_key_id),
        "kms_key_id": volume.kms_key_id,
        "state": "in-use" if volume.attached else "available",
        "size_gib": size,
        "snapshot_id": "",
        "availability_zone": volume.availability_zone,
        "attached": volume.attached,
        "create_time": RECENT,
    }


def _rule(number: int, rule: Rule) -> dict[str, Any]:
    made: dict[str, Any] = {
        "RuleName": f"regel-{number}",
        "TargetBackupVaultName": _VAULT,
        "ScheduleExpression": rule.schedule,
        "CopyActions": [{"DestinationBackupVaultArn": _vault(region)} for region in rule.copies_to],
    }
    if rule.delete_after_days:
        made["Lifecycle"] = {"DeleteAfterDays": rule.delete_after_days}
    return made


def _vault(region: str) -> str:
    return f"arn:aws:backup:{region}:{ACCOUNT}:backup-vault:{_VAULT}"
