"""The example processor's infrastructure code: where it is, and what is true of it.

By hand, from the settings in `iac/*.tf` and `iac/manifests/*.yaml`: the checks that policies read, and a few others.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).with_name("iac")

TRUTH: dict[tuple[str, str], str] = {
    # encrypted with a key, not public, logged
    ("CKV_AWS_145", "aws_s3_bucket.client_files"): "passed",
    ("CKV_AWS_18", "aws_s3_bucket.client_files"): "passed",
    ("CKV2_AWS_6", "aws_s3_bucket.client_files"): "passed",
    ("CKV_AWS_53", "aws_s3_bucket_public_access_block.client_files"): "passed",
    # no key; a comment in the code says why it is not logged
    ("CKV_AWS_145", "aws_s3_bucket.access_logs"): "failed",
    ("CKV_AWS_18", "aws_s3_bucket.access_logs"): "skipped",
    ("CKV2_AWS_6", "aws_s3_bucket.access_logs"): "passed",
    # public and not logged
    ("CKV_AWS_20", "aws_s3_bucket.website"): "failed",
    ("CKV2_AWS_6", "aws_s3_bucket.website"): "failed",
    ("CKV_AWS_18", "aws_s3_bucket.website"): "failed",
    # encrypted, private, logs exported
    ("CKV_AWS_16", "aws_db_instance.payroll"): "passed",
    ("CKV_AWS_17", "aws_db_instance.payroll"): "passed",
    ("CKV_AWS_129", "aws_db_instance.payroll"): "passed",
    # neither
    ("CKV_AWS_16", "aws_db_instance.portal"): "failed",
    ("CKV_AWS_17", "aws_db_instance.portal"): "failed",
    ("CKV_AWS_129", "aws_db_instance.portal"): "failed",
    ("CKV_AWS_3", "aws_ebs_volume.migration"): "failed",
    # port 22 is open to the world in one group only
    ("CKV_AWS_24", "aws_security_group.database"): "passed",
    ("CKV_AWS_24", "aws_security_group.administration"): "failed",
    # the key rotates
    ("CKV_AWS_7", "aws_kms_key.client_files"): "passed",
    # privileged, as root, by a moving tag; the other is not
    ("CKV_K8S_16", "Deployment.klantportaal.portaal"): "failed",
    ("CKV_K8S_23", "Deployment.klantportaal.portaal"): "failed",
    ("CKV_K8S_14", "Deployment.klantportaal.portaal"): "failed",
    ("CKV_K8S_16", "Deployment.loonmotor.loonmotor"): "passed",
    ("CKV_K8S_23", "Deployment.loonmotor.loonmotor"): "passed",
    ("CKV_K8S_14", "Deployment.loonmotor.loonmotor"): "passed",
}
SKIPPED = "the bucket that receives the access logs does not log itself"
