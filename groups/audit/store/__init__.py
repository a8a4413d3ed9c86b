"""What the audit of group chat asks the database, and what its repairs write."""

from groups.audit.store.groups import GroupAuditStore
from groups.audit.store.streams import StreamAuditStore

__all__ = ["GroupAuditStore", "StreamAuditStore"]
