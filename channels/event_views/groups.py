"""Events of groups and channels: members, settings, messages, reactions."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel

from channels.event_views.view import NOT_IN_EVENTS, EventView, Rendering, group_payload, payload_of
from channels.routes.responses import SettingsResponse, anonymous_post_response
from groups.events import (
    AdminInvited,
    GroupDisbanded,
    GroupUpdated,
    InvitationEnded,
    JoinRefused,
    JoinRequested,
    MemberChanged,
    MemberInvited,
    MembersJoined,
    MembersLeft,
    MessageEdited,
    MessagePosted,
    MessageRecalled,
)
from groups.kernel.clock import rfc3339
from groups.kernel.ids import GroupId
from groups.models import Role, Tally, stream_of
from groups.routes.responses.messages import message_response
from reactions.events import ReactionsChanged


def _joined(event: MembersJoined) -> Iterable[EventView]:
    stream_id = stream_of(event.group_id)
    fields: dict[str, Any] = {}
    if event.profile is not None:
        fields["channel"] = {
            "channel_id": event.group_id,
            **event.profile,
            "subscriber_count": event.member_count,
            "subscribed_at": rfc3339(event.at),
        }
    for user_id in event.user_ids:
        own = group_payload("group.joined", "channel.subscribed", event, user_id=user_id, **fields)
        yield EventView(own, stream_id, (user_id,))
        if event.announce:
            yield EventView(own, stream_id, except_users=frozenset({user_id}))


def _left(event: MembersLeft) -> Iterable[EventView]:
    stream_id = stream_of(event.group_id)
    for user_id in event.user_ids:
        own = group_payload(
            "group.left", "channel.unsubscribed", event, user_id=user_id, reason=event.reason.value
        )
        yield EventView(own, stream_id, (user_id,))
        if event.announce:
            yield EventView(own, stream_id, except_users=frozenset({user_id}))


def _member_changed(event: MemberChanged) -> Iterable[EventView]:
    payload = group_payload(
        "member.changed",
        "member.changed",
        event,
        user_id=event.user_id,
        role=event.role.value,
        muted_until=rfc3339(event.muted_until) if event.muted_until else None,
        name_card=event.name_card,
        grants=[grant.value for grant in event.grants],
    )
    users = None if event.audience is None else tuple(dict.fromkeys(event.audience))
    yield EventView(payload, stream_of(event.group_id), users)


def _as_in_resource(changed: Mapping[str, object], *, is_channel: bool) -> Mapping[str, object]:
    """The changed fields, each where the channel or the group has it."""
    if not is_channel:
        return changed
    settings = {k: v for k, v in changed.items() if k in SettingsResponse.model_fields}
    others = {k: v for k, v in changed.items() if k not in settings}
    return {**others, "settings": settings} if settings else others


def _updated(event: GroupUpdated) -> Iterable[EventView]:
    def view(changed: Mapping[str, object]) -> dict[str, Any]:
        shown = _as_in_resource(changed, is_channel=event.is_channel)
        fields = {"changed": shown, "version": event.version}
        return group_payload("group.updated", "channel.updated", event, **fields)

    stream_id, staff = stream_of(event.group_id), event.staff
    yield EventView(view(event.changed), stream_id, except_users=frozenset(staff))
    if staff:
        yield EventView(view({**event.changed, **event.changed_for_staff}), stream_id, staff)


def _disbanded(event: GroupDisbanded) -> Iterable[EventView]:
    payload = group_payload("group.disbanded", "channel.deleted", event)
    yield EventView(payload, stream_of(event.group_id))


def _requested(event: JoinRequested) -> Iterable[EventView]:
    payload = group_payload(
        "join.requested", "join.requested", event, user_id=event.user_id, text=event.text
    )
    yield EventView(payload, stream_of(event.group_id), event.audience)


def _refused(event: JoinRefused) -> Iterable[EventView]:
    payload = group_payload("join.refused", "join.refused", event, user_id=event.user_id)
    yield EventView(payload, stream_of(event.group_id), (event.user_id,))


def _invited(event: AdminInvited | MemberInvited) -> Iterable[EventView]:
    grants = event.grants if isinstance(event, AdminInvited) else ()
    name = "channel_name" if event.is_channel else "group_name"
    fields: dict[str, Any] = {name: event.group_name, "user_id": event.user_id}
    fields["role"] = (Role.ADMIN if isinstance(event, AdminInvited) else Role.MEMBER).value
    if event.is_channel:
        fields["grants"] = [grant.value for grant in grants]
    payload = group_payload(
        "group.invited", "channel.invited", event, **fields, expires_at=rfc3339(event.expires_at)
    )
    yield EventView(payload, stream_of(event.group_id), event.audience)


def _invitation_ended(event: InvitationEnded) -> Iterable[EventView]:
    payload = group_payload(
        "group.invitation_ended",
        "channel.invitation_ended",
        event,
        user_id=event.user_id,
        role=event.role.value,
        reason=event.reason.value,
    )
    yield EventView(payload, stream_of(event.group_id), event.audience)


def _message(event_type: str) -> Callable[[Any], Iterable[EventView]]:
    def render(event: MessagePosted | MessageEdited | MessageRecalled) -> Iterable[EventView]:
        message = event.message
        group_id: GroupId = event.group_id
        if event.is_channel:
            field = "post"
            shown: BaseModel = anonymous_post_response(message, group_id, "", Tally())
        else:
            field = "message"
            shown = message_response(message, group_id, None, None, with_sender=True)
        fields: dict[str, Any] = {field: shown.model_dump(mode="json", exclude=NOT_IN_EVENTS)}
        if not isinstance(event, MessagePosted):
            fields["version"] = message.changed_version
        payload = group_payload(event_type, event_type, event, seq=message.seq, **fields)
        yield EventView(payload, message.stream_id)
        if isinstance(event, MessagePosted):
            # Posting moves the author's read cursor. A post names no author, so their other devices are told apart.
            read = {"read_seq": message.seq, "unread_count": 0}
            own = payload_of("conversation.read", event, message.stream_id, **read)
            yield EventView(own, message.stream_id, (message.sender_id,))

    return render


def _reactions(event: ReactionsChanged) -> Iterable[EventView]:
    counts = {"seq": event.seq, "counts": event.counts, "total": event.total}
    name = "reactions.changed"
    # First the one for watchers, as hubs expect; then one for all users who hold the same emoji, each of them alone.
    yield EventView(group_payload(name, name, event, **counts), event.stream_id)
    for mine, user_ids in event.own:
        payload = group_payload(name, name, event, **counts, mine=mine)
        yield EventView(payload, event.stream_id, user_ids)


GROUP_EVENTS: Final[Rendering] = {
    MembersJoined: _joined,
    MembersLeft: _left,
    MemberChanged: _member_changed,
    GroupUpdated: _updated,
    GroupDisbanded: _disbanded,
    JoinRequested: _requested,
    JoinRefused: _refused,
    AdminInvited: _invited,
    MemberInvited: _invited,
    InvitationEnded: _invitation_ended,
    MessagePosted: _message("message.posted"),
    MessageEdited: _message("message.edited"),
    MessageRecalled: _message("message.recalled"),
    ReactionsChanged: _reactions,
}
