"""The queries of the audit of group chat, and the writes of its repairs."""
