"""The models of drafts."""

from datetime import datetime

from groups.kernel.ids import GroupId, UserId
from groups.models import Content, Model, Origin, Source


class NewDraft(Model):
    """The content of a new draft. Its uploads are given by id."""

    content: Content | Source
    """The content, or the message to copy. The copy is made when the draft is created."""
    silent: bool = False


class Failure(Model):
    """Why a scheduled draft was not published: the code and the text of the error."""

    code: str
    detail: str
    at: datetime


class Draft(Model):
    """A post that is not published yet. `publish_at` None: it is not scheduled. `version` grows with each change."""

    channel_id: GroupId
    draft_id: str
    author_id: UserId
    """The user who changed it last. It is published in their name and with their rights."""
    by_app: bool = False
    """Whether they changed it with the rights of the application."""
    content: Content
    silent: bool = False
    origin: Origin | None = None
    """The source of a forwarded post; None if it is not forwarded."""
    publish_at: datetime | None = None
    failure: Failure | None = None
    created_at: datetime
    updated_at: datetime
    version: int = 1
    digest: str = ""
    """A digest of the request that created it, if it had an idempotency key; else empty."""

    @property
    def due_at(self) -> datetime | None:
        """When the scheduler publishes it; None if it does not."""
        return self.publish_at if self.failure is None else None
