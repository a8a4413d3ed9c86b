"""What the audit of conversations asks the database, and what its repairs write."""

from conversations.audit.store.dialogues import DialogueAuditStore
from conversations.audit.store.overlays import OverlayAuditStore

__all__ = ["DialogueAuditStore", "OverlayAuditStore"]
