"""Writes exports of channels, checks them, and imports them."""
