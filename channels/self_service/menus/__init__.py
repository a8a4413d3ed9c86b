"""Menus of channels: entries that users choose, and what happens then."""
