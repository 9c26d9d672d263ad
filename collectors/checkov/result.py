"""Table checkov_result: what Checkov says of infrastructure code."""

from __future__ import annotations

from agent.model import Call, Column, Table

_SCAN = "checkov:scan"

TABLE = Table(
    name="checkov_result",
    source="checkov",
    scope="directory",
    key="id",
    description="Results of Checkov's checks of infrastructure code: Terraform, CloudFormation, Kubernetes and others.",
    calls=(Call(name=_SCAN, role="list"),),
    columns=(
        Column("id", "VARCHAR", "Check, file and resource, joined by colons.", _SCAN, "id"),
        Column("check_id", "VARCHAR", "Checkov's name of the check: `CKV_AWS_17`.", _SCAN, "check_id"),
        Column("check_name", "VARCHAR", "What the check is about.", _SCAN, "check_name"),
        Column(
            "result",
            "VARCHAR",
            "`passed`, `failed`, or `skipped` where a comment in the code says so.",
            _SCAN,
            "result",
        ),
        Column("resource", "VARCHAR", "The resource's address in the code.", _SCAN, "resource"),
        Column(
            "resource_type",
            "VARCHAR",
            "Its type: `aws_db_instance`, `AWS::S3::Bucket`, `Pod`.",
            _SCAN,
            "resource_type",
        ),
        Column("file_path", "VARCHAR", "The file, relative to the directory.", _SCAN, "file_path"),
        Column("line_start", "BIGINT", "The first line of the resource; NULL if not told.", _SCAN, "line_start"),
        Column("line_end", "BIGINT", "The last line of the resource; NULL if not told.", _SCAN, "line_end"),
        Column("framework", "VARCHAR", "The kind of code: `terraform`, `kubernetes` …", _SCAN, "framework"),
        Column(
            "suppress_comment",
            "VARCHAR",
            "Why the check is skipped, as the code says; '' if it is not or does not say.",
            _SCAN,
            "suppress_comment",
        ),
    ),
)
