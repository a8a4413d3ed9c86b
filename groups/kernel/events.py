"""Events: facts that are already committed.

Every event is a closed model with a literal `type`. The transaction that makes it true stores it in the outbox
(`mongo.Tx.publish`), and the bus delivers it to every server process.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict

_EVENT_ID: Final = "_event_id"


class Event(BaseModel):
    """The base of all events; a subclass gives `type` a literal default, by which it is found again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    known: ClassVar[dict[str, type["Event"]]] = {}
    is_counted: ClassVar[bool] = False
    """Whether the event is for a counter (`background_counter`) and not for listeners, which never receive it."""

    type: str
    at: datetime

    @property
    def event_id(self) -> str:
        """The id of a committed event, the same wherever and however often it is read; empty before its commit."""
        event_id: str = self.__dict__.get(_EVENT_ID, "")
        return event_id

    def identify(self, event_id: str) -> None:
        """Give a committed event its id; for the outbox only."""
        # As `functools.cached_property` does: no field, so events are equal whatever their ids.
        self.__dict__[_EVENT_ID] = event_id

    @property
    def routes(self) -> tuple[str, ...] | None:
        """The users and streams whose listeners need this event. None: every process decodes it.

        Stored beside the event, so that a process where nobody listens to any of them does not decode it. Listeners of
        the event's type receive it in any case.
        """
        return None

    @property
    def opens(self) -> tuple[str, ...]:
        """The routes to which a listener of this event may listen from this event on, in its own transaction too."""
        return ()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        name = cls.model_fields["type"].default
        if not isinstance(name, str) or Event.known.setdefault(name, cls) is not cls:
            raise TypeError(f"{cls.__name__} needs a literal `type` of its own")


Listener = Callable[[Sequence[Event]], None]
"""Called with the events of each transaction, once in each process, in commit order; must neither wait nor raise."""


def read_event(document: dict[str, Any]) -> Event | None:
    """The event of a stored document, without newer versions' fields; None for a newer version's type."""
    kind = Event.known.get(document["type"])
    return kind.model_validate(document, extra="ignore") if kind else None
