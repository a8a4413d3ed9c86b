"""Exporting a user's data, and deleting it step by step."""
