"""The models of tags: what is stored of a subscriber, changes of it, and segments."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from groups.kernel.ids import UserId
from groups.models import Model

TAGS_PER_SUBSCRIBER: Final = 20
TAG_CHARACTERS: Final = 64


@dataclass(frozen=True, slots=True)
class TagRow:
    """The tags of a subscriber, in the order in which they were given.

    `joined_ms` is the time of the subscription that they belong to. A row of an earlier subscription has no meaning.
    """

    user_id: UserId
    tags: tuple[str, ...]
    joined_ms: int


class Segment(Model):
    """Subscribers, by their tags: those who have all of `all`, one of `any` if there are any, and none of `none`."""

    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    none: tuple[str, ...] = ()

    @property
    def needs_tags(self) -> bool:
        """Whether only subscribers with tags can be in it."""
        return bool(self.all or self.any)

    def has(self, tags: Collection[str]) -> bool:
        """Whether a subscriber with these tags is in it."""
        return (
            all(tag in tags for tag in self.all)
            and (not self.any or any(tag in tags for tag in self.any))
            and not any(tag in tags for tag in self.none)
        )


@dataclass(frozen=True, slots=True)
class TagChange:
    """A change of one subscriber's tags: `tags` in place of those before, or some added and some removed."""

    user_id: UserId
    tags: tuple[str, ...] | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    def applied_to(self, before: tuple[str, ...]) -> tuple[str, ...]:
        """The tags after the change, each once; those that were there keep their order."""
        if self.tags is not None:
            return self.tags
        kept = [tag for tag in before if tag not in self.remove]
        return tuple(dict.fromkeys([*kept, *self.add]))


class TagOutcome(StrEnum):
    """The outcome of one change."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    NOT_SUBSCRIBED = "not_subscribed"
    TAG_LIMIT = "tag_limit"
    """The channel would have too many different tags, or the subscriber too many."""
