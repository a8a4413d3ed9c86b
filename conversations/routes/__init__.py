"""The HTTP endpoints of conversations."""
