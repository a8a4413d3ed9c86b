"""Conversations as JSON: what users share is rendered once, and every conversation as its response says."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import orjson
import pytest

from conversations.models import (
    Conversation,
    ConversationId,
    ConversationSettings,
    ListedConversation,
    NotificationLevel,
)
from conversations.routes import rendering
from conversations.routes.rendering import ConversationRendering
from conversations.routes.responses import conversation_response
from groups.kernel.ids import GroupId, UserId
from groups.models import Kind, LastMessage

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
LAST = LastMessage(7, UserId("ada"), 'He said ","head_seq":1', AT, Kind.TEXT)
TRICKY = '"},"is_channel":true,"title":"☕'

SETTINGS = {
    "none": ConversationSettings(),
    "a cursor": ConversationSettings(read_seq=5, version=3, changed_ms=77),
    "muted": ConversationSettings(muted=True),
    "muted for an hour": ConversationSettings(muted_until=AT + timedelta(hours=1)),
    "without notifications": ConversationSettings(notifications=NotificationLevel.NONE),
    "pinned": ConversationSettings(read_seq=9, pinned_at=AT),
    "hidden": ConversationSettings(hidden_at_seq=7),
    "hidden before": ConversationSettings(hidden_at_seq=6),
    "texts": ConversationSettings(draft=TRICKY, custom_data=TRICKY),
    "groups": ConversationSettings(groups=("News", TRICKY)),
    "accept": ConversationSettings(accept=False, begun_by_channel=True),
}


def listed(
    settings: ConversationSettings = SETTINGS["none"],
    *,
    name: str | None = "news",
    last: LastMessage | None = LAST,
    title: str = "News",
    head_seq: int = 7,
) -> ListedConversation:
    """A channel as a list shows it; without a name, a dialogue with the user `bob`."""
    key = ConversationId("c2c_bob" if name is None else f"group_{name}")
    group_id = None if name is None else GroupId(name)
    is_muted = settings.is_muted(AT)
    return ListedConversation(
        Conversation(key, group_id, name is not None, head_seq, 1, 0, settings),
        title,
        "https://x.test/a.png",
        last,
        verified=name is not None,
        version=2,
        muted=is_muted,
        muted_until=settings.muted_until if is_muted and not settings.muted else None,
    )


def items_of(page: bytes) -> list[Any]:
    return list(orjson.loads(page)["items"])


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=list(SETTINGS))
def test_a_page_has_the_fields_of_the_response_in_its_order(
    settings: ConversationSettings,
) -> None:
    rendered = ConversationRendering()
    items = [
        listed(settings, name=name, last=last, title=title)
        for name, last, title in product(("news", None), (LAST, None), ("News", TRICKY))
    ]
    for _ in range(2):  # the second time, from what is kept
        page = rendered.page(items, "more")
        expected = [conversation_response(item).model_dump(mode="json") for item in items]
        assert [list(item.items()) for item in items_of(page)] == [
            list(item.items()) for item in expected
        ]
        assert orjson.loads(page)["next_cursor"] == "more"
    assert rendered.page([], None) == b'{"items":[],"next_cursor":null}'


def test_users_share_the_rendering_of_a_channel_until_it_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[ListedConversation] = []

    def counted(item: ListedConversation) -> Any:
        made.append(item)
        return conversation_response(item)

    monkeypatch.setattr(rendering, "conversation_response", counted)
    rendered = ConversationRendering()
    for settings in SETTINGS.values():
        assert items_of(rendered.page([listed(settings)], None))[0]["title"] == "News"
    # Who may not read the last message has another part, and neither replaces the other.
    for _ in range(2):
        assert items_of(rendered.page([listed(last=None)], None))[0]["last_message"] is None
        rendered.page([listed()], None)
    assert len(made) == 2
    assert items_of(rendered.page([listed(title="Tea")], None))[0]["title"] == "Tea"
    assert items_of(rendered.page([listed(title="Tea", head_seq=8)], None))[0]["head_seq"] == 8
    assert len(made) == 4
