"""Channels as JSON: what subscribers share is rendered once, and every channel as its response says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Final

import pytest

from channels.models import Channel, ChannelProfile
from channels.routes import rendering
from channels.routes.rendering import SubscribedRendering
from channels.routes.responses import channel_fields, channel_response
from groups.kernel.ids import UserId
from groups.models import (
    AccessContext,
    EffectiveRole,
    Kind,
    LastMessage,
    Marking,
    Member,
    Role,
    Stream,
    Suspension,
    SuspensionMode,
)
from tests.groups.test_rendering import GROUP

AT: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
TRICKY: Final = '","subscribed_at":null,"name":"☕\x01'
ADA: Final = Member(GROUP.group_id, UserId("ada"), Role.MEMBER, AT, 0)
MEMBERS: Final = {
    "a subscriber": ADA,
    "a later one": replace(ADA, joined_at=AT + timedelta(hours=1), joined_seq=5),
    "an admin": replace(ADA, role=Role.ADMIN),
    "the owner": replace(ADA, role=Role.OWNER),
}
CHANGES: Final[dict[str, dict[str, object]]] = {
    "nothing": {},
    "a name": {"name": TRICKY},
    "its history": {"history_visible": False},
    "a suspension": {
        "suspension": Suspension(mode=SuspensionMode.READABLE, reason="x", at=AT, by=UserId("app"))
    },
    "a marking": {
        "marking": Marking(
            at=AT,
            by=UserId("eve"),
            head_seq=3,
            is_history_shared=True,
            was_history_visible=True,
        )
    },
}


def channel(
    member: Member | None = ADA,
    change: str = "nothing",
    *,
    last_seq: int = 4,
    custom_data: str = "",
    is_app_admin: bool = False,
) -> Channel:
    group = GROUP.model_copy(update=CHANGES[change])
    profile = ChannelProfile(channel_id=group.group_id, custom_data=custom_data, created_at=AT)
    last = LastMessage(last_seq, UserId("eve"), TRICKY, AT, Kind.TEXT) if last_seq else None
    role = EffectiveRole.APP_ADMIN if is_app_admin else EffectiveRole.STRANGER
    if member is not None and not is_app_admin:
        role = member.effective_role
    return Channel(
        AccessContext(group, member, role), Stream(group.stream_id, last_seq, True, last), profile
    )


def response_of(each: Channel) -> bytes:
    return channel_response(each).model_dump_json().encode()


def test_a_channel_is_rendered_as_its_response() -> None:
    rendered = SubscribedRendering()
    for member, change, seq, data in product(
        (*MEMBERS.values(), None), CHANGES, (0, 4, 6), ("", TRICKY)
    ):
        each = channel(member, change, last_seq=seq, custom_data=data)
        for _ in range(2):  # the second time, from what is kept
            assert rendered.channel(each) == response_of(each)
    each = channel(is_app_admin=True)
    assert rendered.channel(each) == response_of(each)


def test_subscribers_share_the_rendering_until_the_channel_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Channel] = []

    def counted(each: Channel) -> object:
        made.append(each)
        return channel_fields(each)

    monkeypatch.setattr(rendering, "channel_fields", counted)
    rendered = SubscribedRendering()
    # Those who may not read the last post have another part, and neither replaces the other.
    early, late = MEMBERS["a subscriber"], MEMBERS["a later one"]
    for _ in range(3):
        rendered.channel(channel(early, "its history"))
        rendered.channel(channel(late, "its history"))
    assert len(made) == 2
    rendered.channel(channel(early, "a name"))
    rendered.channel(channel(late, "a name"))
    assert len(made) == 3
