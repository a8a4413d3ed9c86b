"""Reacting to messages, and reading reactions."""
