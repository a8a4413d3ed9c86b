"""How far a socket has come: what an app may store, to go on from there after a restart."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict


class Known(BaseModel):
    """What the app has of one conversation: all messages up to `seq`, with all changes up to `version`.

    Changes of messages before `first_seq` are not its business: it never had them.
    """

    model_config = ConfigDict(frozen=True)

    seq: int
    version: int
    is_channel: bool = False
    first_seq: int = 0


class Position(BaseModel):
    """The place of a socket among the events of its user; `model_dump_json` and `model_validate_json` store it."""

    sync_token: str | None = None
    known: dict[str, Known] = {}


@dataclass(frozen=True, slots=True)
class Step:
    """What an event changes in the position once the app has it."""

    conversation_id: str | None = None
    known: Known | None = None
    """None: the conversation is no more."""
    sync_token: str | None = None

    def apply(self, position: Position) -> None:
        if self.conversation_id is not None:
            if self.known is None:
                position.known.pop(self.conversation_id, None)
            else:
                position.known[self.conversation_id] = self.known
        if self.sync_token is not None:
            position.sync_token = self.sync_token
