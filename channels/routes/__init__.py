"""The routes of channels."""
