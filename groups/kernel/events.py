"""Events: facts that are already committed.

Every event is a closed model with a literal `type`. The transaction that makes it true stores it in the outbox
(`mongo.Tx.publish`), and the bus delivers it to every server process.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class Event(BaseModel):
    """The base of all events; a subclass gives `type` a literal default, by which it is found again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    known: ClassVar[dict[str, type["Event"]]] = {}
    is_counted: ClassVar[bool] = False
    """Whether the event is for a counter (`background_counter`) and not for listeners, which never receive it."""

    type: str
    at: datetime

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
