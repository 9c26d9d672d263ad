"""How a table asks AWS: one API operation, in the words of botocore and JMESPath, without code of its own."""

from __future__ import annotations

import msgspec

from agent.model import Call


class AwsCall(Call, frozen=True, kw_only=True):
    """One AWS operation.

    Its name is `service:Operation`, as botocore spells both. Every item of a list call gets `_scope`, a mapping of
    `account_id`, `partition`, `region` (the scope's, or the home region of the account) for expressions to use.
    """

    service: str
    """botocore's name of the service: `s3control`."""
    operation: str
    """The method of the client: `get_public_access_block`."""
    items: str = ""
    """List call: JMESPath over a page, giving the list of its items. A page that gives null is not an answer."""
    only: str = ""
    """List call: JMESPath over an item; items for which it is false are not rows."""
    request: dict[str, str] = msgspec.field(default_factory=dict)
    """Parameter to JMESPath over the item (list call: over `_scope` alone); a backquoted literal suits every item."""
    region: str = ""
    """JMESPath over the item: where to ask, if not in the scope's region. Null means the account's home region."""
    absent: tuple[str, ...] = ()
    """Error codes by which the API documents "not configured"; the answer is then the empty mapping."""
    empty: bool = False
    """Whether the API documents an answer without a single field; elsewhere that is not an answer."""
    known: str = ""
    """JMESPath over the item: the answer, where the list gave it already; then nothing is asked."""
