"""The four switches by which S3 blocks public access, of one bucket and of a whole account alike."""

from __future__ import annotations

from collections.abc import Callable

from agent.model import Column, Json

_SWITCHES = {
    "block_public_acls": ("BlockPublicAcls", "Whether S3 refuses new public ACLs."),
    "ignore_public_acls": ("IgnorePublicAcls", "Whether S3 ignores public ACLs that exist."),
    "block_public_policy": ("BlockPublicPolicy", "Whether S3 refuses new public bucket policies."),
    "restrict_public_buckets": ("RestrictPublicBuckets", "Whether S3 keeps strangers out despite a public policy."),
}


def _switch(field: str) -> Callable[[Json], bool | None]:
    """Reads one switch; without any configuration all four are off."""
    return lambda response: response["PublicAccessBlockConfiguration"].get(field) if response else False


def public_access_columns(call: str, prefix: str = "") -> tuple[Column, ...]:
    """A column for each switch, filled by a call whose answer has a `PublicAccessBlockConfiguration`."""
    return tuple(
        Column(prefix + name, "BOOLEAN", text, call, _switch(field)) for name, (field, text) in _SWITCHES.items()
    )
