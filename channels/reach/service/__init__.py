"""Views and insights at work; each method's first argument is the actor."""

from channels.reach.service.insights import InsightService
from channels.reach.service.views import ViewService

__all__ = ["InsightService", "ViewService"]
