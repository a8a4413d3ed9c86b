"""Endpoints of webhooks: those of the application, and those of a channel."""
