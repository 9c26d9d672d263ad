"""The call and the columns that all registers share."""

from __future__ import annotations

from agent.model import Call, Column

LIST = "register:read"
DIGEST = "document:digest"

CALLS = (Call(name=LIST, role="list"), Call(name=DIGEST))


def shared() -> tuple[Column, ...]:
    """Who answers for an entry, until when, and the document that it rests on."""
    return (
        Column("owner", "VARCHAR", "Who keeps the entry up to date; '' if nobody does.", LIST, "owner"),
        Column("approver", "VARCHAR", "Who approved it; '' if nobody did.", LIST, "approver"),
        Column("expires", "DATE", "The last day that the entry counts.", LIST, "expires"),
        Column("file", "VARCHAR", "The register file that it stands in.", LIST, "file"),
        Column("document", "VARCHAR", "The signed document, relative to the register file.", LIST, "document"),
        Column("document_sha256", "VARCHAR", "The document's SHA-256 as registered.", LIST, "document_sha256"),
        Column(
            "document_matches",
            "BOOLEAN",
            "Whether the document still has that SHA-256; unread when the document cannot be read.",
            DIGEST,
            "matches",
        ),
    )
