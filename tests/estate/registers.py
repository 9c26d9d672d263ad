"""The example processor's registers: where they are, and what is true of each entry on the day of the example.

The entries stand in `registers/`; this says by hand what a collector must make of them and why they are there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("registers")
TRANSFERS = FOLDER / "transfers.yaml"
RESTORE_DRILLS = FOLDER / "restore-drills.yaml"
AUDIT_TIME = "2026-11-23T12:00:00Z"

TRUTH: dict[str, dict[str, dict[str, Any]]] = {
    "transfer_register": {
        # a ground that counts
        "loonfiches-virginia": {
            "country": "US",
            "mechanism": "scc",
            "mechanism_kind": "safeguard",
            "provider": "aws",
            "regions": ["us-east-1"],
            "valid_from": "2026-01-05",
            "expires": "2028-12-31",
            "document_matches": True,
        },
        # the clauses ran out five months ago, and Brazil's adequacy holds only under its condition
        "support-sao-paulo": {
            "country": "BR",
            "mechanism": "scc",
            "mechanism_kind": "safeguard",
            "regions": ["sa-east-1"],
            "resources": ["loonwijs-support-sao-paulo"],
            "expires": "2026-06-30",
            "document_matches": True,
        },
        # consent is a derogation, not a safeguard; nobody approved it
        "gebruiksanalyse": {
            "country": "US",
            "mechanism": "consent",
            "mechanism_kind": "derogation",
            "approver": "",
            "expires": "2028-12-31",
            "document_matches": True,
        },
    },
    "restore_drill_register": {
        # recent, successful, validated
        "loonmotor-2026-09": {
            "resource": "arn:aws:rds:eu-central-1:123456789012:db:loonmotor-prod",
            "performed": "2026-09-15",
            "outcome": "success",
            "duration_minutes": 185,
            "recovery_point_age_minutes": 4,
            "validated": True,
            "expires": "2027-09-15",
            "document_matches": True,
        },
        # the restore failed, so nothing was measured; due again three days ago
        "klantportaal-2026-05": {
            "resource": "arn:aws:rds:eu-west-1:123456789012:db:klantportaal",
            "outcome": "failure",
            "duration_minutes": None,
            "recovery_point_age_minutes": None,
            "validated": False,
            "expires": "2026-11-20",
            "document_matches": True,
        },
        # went well, but too long ago, and nobody owns it
        "rapportering-2025-02": {
            "performed": "2025-02-11",
            "outcome": "success",
            "duration_minutes": 72,
            "owner": "",
            "expires": "2026-02-11",
            "document_matches": True,
        },
    },
}
