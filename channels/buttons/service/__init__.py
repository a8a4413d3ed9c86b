"""Pressing buttons under posts and under one-to-one messages."""
