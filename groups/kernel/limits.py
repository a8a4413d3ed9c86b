"""What a limit says about itself: its type, the meaning of 0, the source of its default, and what happens beyond it.

    pinned_messages: Annotated[Positive, About(Section.MESSAGES, Source.OURS, "`pin_limit_reached`")] = 10
    '''Messages that are pinned at once in one group or channel.'''

The guide's page of limits is generated from this (`channels.docs_site.generated`). The name of a limit ends in its unit
(`_bytes`, `_seconds`, `_per_second`); without one it is a number of things.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True, slots=True)
class Zero:
    """What a limit of 0 means."""

    meaning: str


Positive = Annotated[int, Field(ge=1)]
"""A limit that must be at least 1."""
OrNone = Annotated[int, Field(ge=0), Zero("none is allowed")]
"""A limit that may be 0: nothing of the kind is allowed."""
OrUnlimited = Annotated[int, Field(ge=0), Zero("no limit")]
"""A limit that may be 0: there is no limit."""


class Section(StrEnum):
    """The headings under which the guide lists limits, in their order."""

    MEMBERS = "Members and admins"
    PROFILES = "Profiles and names"
    MESSAGES = "Messages and posts"
    MEDIA = "Pictures, videos and files"
    STORAGE = "Storage"
    CONVERSATIONS = "Conversations and one-to-one messages"
    PUSH = "Push notifications"
    INSIGHTS = "Views and insights"
    WEBHOOKS = "Webhooks"
    USERS = "Requests and sockets of one user"
    ADDRESSES = "Requests and sockets of one address"
    SERVER = "One server process"


class Source(StrEnum):
    """Where the default of a limit is from."""

    TENCENT = "Tencent"
    """Tencent Chat, on whose groups these are modelled; the wider figure where its documents disagree."""
    DOCUMENT = "founding document"
    """The description of WhatsApp-style official accounts on group chat that this project implements."""
    OURS = "ours"
    """Our own choice."""


@dataclass(frozen=True, slots=True)
class About:
    """Where the guide lists a limit, the source of its default, and what happens beyond it.

    `beyond` is an error code in backticks, or a sentence.
    """

    section: Section
    source: Source
    beyond: str


class LimitModel(BaseModel):
    """The base of models of limits, whose fields are described by their docstrings."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
