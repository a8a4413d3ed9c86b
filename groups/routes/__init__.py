"""The HTTP API of group chat: its responses, their rendering, and the calls on groups, members and messages."""
