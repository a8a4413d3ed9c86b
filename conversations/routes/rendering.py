"""Conversations as JSON, of which the lists of different users share what is the same for all of them.

What a list shows of a channel is the same for its million subscribers, but for the read cursor and the settings. So the
JSON before, between and after these is rendered once, for as long as what it was rendered from is equal, and a reader
costs the few bytes of their own. One-to-one conversations are each their own, so nothing of them is kept.

The fields and their order are those of `ConversationResponse`.
"""

from datetime import datetime
from typing import Final, NamedTuple

import orjson

from conversations.models import DEFAULT_SETTINGS, ConversationId, ListedConversation
from conversations.routes.responses import ConversationResponse, conversation_response
from groups.kernel.byte_cache import ByteCache
from groups.kernel.clock import rfc3339
from groups.models import LastMessage

KEPT_BYTES: Final = 2**20  # some 400 channels; as many groups are kept
_ENTRY_BYTES: Final = 1_000
"""The memory of a kept conversation without its texts, which count twice: in the values and in the JSON."""
_NO_SETTINGS: Final = (
    b',"muted":false,"muted_until":null,"notifications":"all","accept":true,"pinned_at":null'
    b',"hidden":false,"draft":"","custom_data":"","conversation_groups":[]'
)


_BESIDE_CURSOR: Final = slice(1, -2)  # without `version` and `changed_ms`
_DEFAULTS: Final = DEFAULT_SETTINGS[_BESIDE_CURSOR]
_OWN: Final = {
    *("unread_count", "read_seq", "muted", "muted_until", "notifications", "accept", "pinned_at"),
    *("hidden", "draft", "custom_data", "conversation_groups"),
}
"""The fields that are the reader's own."""


class _Source(NamedTuple):
    """The values that the shared JSON of a conversation is rendered from."""

    is_channel: bool
    title: str
    face_url: str
    head_seq: int
    version: int
    last: LastMessage | None
    verified: bool


class _Shared(NamedTuple):
    """The JSON of a conversation without the fields that are the reader's own."""

    source: _Source
    before_unread: bytes
    before_settings: bytes
    after_settings: bytes


class ConversationRendering:
    """Renders pages of conversations."""

    def __init__(self) -> None:
        self._shared: ByteCache[tuple[ConversationId, bool], _Shared] = ByteCache(
            "rendered conversations", KEPT_BYTES, lambda _, kept: _size_of(kept)
        )

    def page(self, items: list[ListedConversation], next_cursor: str | None) -> bytes:
        """The JSON of a page of these conversations."""
        return b'{"items":[%b],"next_cursor":%b}' % (
            b",".join(map(self.conversation, items)),
            orjson.dumps(next_cursor),
        )

    def conversation(self, listed: ListedConversation) -> bytes:
        """The JSON of a conversation."""
        conversation = listed.conversation
        if conversation.group_id is None:
            response = conversation_response(listed)
            json: bytes = response.__pydantic_serializer__.to_json(response)
            return json
        shared = self._shared_of(listed)
        return b'%b%d,"read_seq":%d%b%b%b' % (
            shared.before_unread,
            conversation.unread_count,
            conversation.read_seq,
            shared.before_settings,
            _settings(listed),
            shared.after_settings,
        )

    def _shared_of(self, listed: ListedConversation) -> _Shared:
        conversation, last = listed.conversation, listed.last
        source = _Source(
            conversation.is_channel,
            listed.title,
            listed.face_url,
            conversation.head_seq,
            listed.version,
            last,
            listed.verified,
        )
        # Beside each other: one for those who may read the last message, and one for those who may not.
        key = conversation.conversation_id, last is None
        kept = self._shared.get(key)
        if kept is None or kept.source != source:
            kept = _rendered(source, conversation_response(listed))
            self._shared.put(key, kept)
        return kept


def _rendered(source: _Source, response: ConversationResponse) -> _Shared:
    json: bytes = response.__pydantic_serializer__.to_json(response, exclude=_OWN)
    before, between = json.index(b',"head_seq":'), json.rindex(b',"is_channel":')
    return _Shared(
        source, json[:before] + b',"unread_count":', json[before:between], json[between:]
    )


def _settings(listed: ListedConversation) -> bytes:
    """The fields from `muted` to `conversation_groups`."""
    conversation, settings = listed.conversation, listed.conversation.settings
    if settings[_BESIDE_CURSOR] == _DEFAULTS:
        return _NO_SETTINGS
    fields = {
        "muted": listed.muted,
        "muted_until": _instant(listed.muted_until),
        "notifications": settings.notifications.value,
        "accept": settings.accept,
        "pinned_at": _instant(settings.pinned_at),
        "hidden": conversation.is_hidden,
        "draft": settings.draft,
        "custom_data": settings.custom_data,
        "conversation_groups": settings.groups,
    }
    return b"," + orjson.dumps(fields)[1:-1]


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else rfc3339(instant)


def _size_of(kept: _Shared) -> int:
    json = len(kept.before_unread) + len(kept.before_settings) + len(kept.after_settings)
    return _ENTRY_BYTES + 2 * json
