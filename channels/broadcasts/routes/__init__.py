"""Endpoints of broadcasts."""
