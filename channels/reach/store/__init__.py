"""The documents of views and insights."""

from channels.reach.store.days import DayStore
from channels.reach.store.views import ViewStore

__all__ = ["DayStore", "ViewStore"]
