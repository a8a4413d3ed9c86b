"""The life of a draft, and the scheduler that publishes it at its hour."""

from channels.drafts.service.assembly import Drafting, assemble
from channels.drafts.service.drafts import DraftService
from channels.drafts.service.publishing import DraftPublishing
from channels.drafts.service.scheduler import Scheduler

__all__ = ["DraftPublishing", "DraftService", "Drafting", "Scheduler", "assemble"]
