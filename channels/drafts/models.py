"""Drafts, as services speak of them."""

from datetime import datetime

from groups.kernel.ids import GroupId, UserId
from groups.models import Content, Model, Origin, Source


class NewDraft(Model):
    """What a draft shall hold; its uploads are named only."""

    content: Content | Source
    """What it says, or which message it is to be a copy of: the copy is made when the draft is."""
    silent: bool = False


class Failure(Model):
    """Why a scheduled draft was not published: the code and words of the refusal."""

    code: str
    detail: str
    at: datetime


class Draft(Model):
    """A post that is not out yet. `publish_at` None: nobody said when; `version` grows with each change."""

    channel_id: GroupId
    draft_id: str
    author_id: UserId
    """Who changed it last: in his name, and with his rights, it is published."""
    by_app: bool = False
    """Whether he did so with the rights of the application's admin."""
    content: Content
    silent: bool = False
    origin: Origin | None = None
    """Where the content was copied from; None: it was written here."""
    publish_at: datetime | None = None
    failure: Failure | None = None
    created_at: datetime
    updated_at: datetime
    version: int = 1
    digest: str = ""
    """Of what was asked for when it was made under an idempotency key; empty: without one."""

    @property
    def due_at(self) -> datetime | None:
        """When it publishes itself; None: not by itself."""
        return self.publish_at if self.failure is None else None
