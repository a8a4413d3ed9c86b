"""The documents of views and insights."""
