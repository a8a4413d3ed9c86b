"""Endpoints of tags on subscribers."""
