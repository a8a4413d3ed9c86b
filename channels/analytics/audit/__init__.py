"""Checks of views and insights: posts show the counted views, and subscribers and muted members are counted right.

A running server causes no false findings, and every repair checks again in its own transaction.
"""
