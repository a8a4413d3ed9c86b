"""The HTTP face of group chat: what it answers (`views`, `rendering`), the calls on groups, members and messages."""
