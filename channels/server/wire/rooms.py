"""What is told of groups and channels: who came and went, what was posted, what changed."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from pydantic import BaseModel

from channels.routes.responses import anonymous_post_response
from channels.server.wire.frame import NOT_IN_FRAMES, Frame, Renderers, of_group, payload_of
from groups.events import (
    AdminInvited,
    GroupDisbanded,
    GroupUpdated,
    InvitationEnded,
    JoinRefused,
    JoinRequested,
    MemberChanged,
    MembersJoined,
    MembersLeft,
    MessageEdited,
    MessagePosted,
    MessageRecalled,
)
from groups.kernel.clock import rfc3339
from groups.kernel.ids import GroupId
from groups.models import Tally, stream_of
from groups.routes.responses.messages import message_response
from reactions.events import ReactionsChanged


def _joined(event: MembersJoined) -> Iterable[Frame]:
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
        own = of_group("group.joined", "channel.subscribed", event, user_id=user_id, **fields)
        yield Frame(own, stream_id, (user_id,))
        if event.announce:
            yield Frame(own, stream_id, besides=frozenset({user_id}))


def _left(event: MembersLeft) -> Iterable[Frame]:
    stream_id = stream_of(event.group_id)
    for user_id in event.user_ids:
        own = of_group(
            "group.left", "channel.unsubscribed", event, user_id=user_id, reason=event.reason.value
        )
        yield Frame(own, stream_id, (user_id,))
        if event.announce:
            yield Frame(own, stream_id, besides=frozenset({user_id}))


def _member_changed(event: MemberChanged) -> Iterable[Frame]:
    payload = of_group(
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
    yield Frame(payload, stream_of(event.group_id), users)


def _updated(event: GroupUpdated) -> Iterable[Frame]:
    fields = {"changed": event.changed, "version": event.version}
    payload = of_group("group.updated", "channel.updated", event, **fields)
    yield Frame(payload, stream_of(event.group_id))


def _disbanded(event: GroupDisbanded) -> Iterable[Frame]:
    payload = of_group("group.disbanded", "channel.deleted", event)
    yield Frame(payload, stream_of(event.group_id))


def _requested(event: JoinRequested) -> Iterable[Frame]:
    payload = of_group(
        "join.requested", "join.requested", event, user_id=event.user_id, text=event.text
    )
    yield Frame(payload, stream_of(event.group_id), event.audience)


def _refused(event: JoinRefused) -> Iterable[Frame]:
    payload = of_group("join.refused", "join.refused", event, user_id=event.user_id)
    yield Frame(payload, stream_of(event.group_id), (event.user_id,))


def _invited(event: AdminInvited) -> Iterable[Frame]:
    payload = payload_of(
        "channel.invited",
        event,
        stream_of(event.group_id),
        channel_id=event.group_id,
        channel_name=event.group_name,
        user_id=event.user_id,
        grants=[grant.value for grant in event.grants],
        expires_at=rfc3339(event.expires_at),
    )
    yield Frame(payload, stream_of(event.group_id), event.audience)


def _invitation_ended(event: InvitationEnded) -> Iterable[Frame]:
    payload = payload_of(
        "channel.invitation_ended",
        event,
        stream_of(event.group_id),
        channel_id=event.group_id,
        user_id=event.user_id,
        reason=event.reason.value,
    )
    yield Frame(payload, stream_of(event.group_id), event.audience)


def _message(kind: str) -> Callable[[Any], Iterable[Frame]]:
    def render(event: MessagePosted | MessageEdited | MessageRecalled) -> Iterable[Frame]:
        message = event.message
        group_id: GroupId = event.group_id
        if event.is_channel:
            field = "post"
            view: BaseModel = anonymous_post_response(message, group_id, "", Tally())
        else:
            field = "message"
            view = message_response(message, group_id, None, None, with_sender=True)
        # Reactions and views are left out: a new message has none, and an edit or recall does not change them. What the
        # sender shows of himself is for whoever asks: it may be another by the time that this is read.
        shown = view.model_dump(mode="json", exclude=NOT_IN_FRAMES)
        payload = of_group(kind, kind, event, seq=message.seq, **{field: shown})
        yield Frame(payload, message.stream_id)
        if isinstance(event, MessagePosted):
            # Posting moved the author's own cursor; his other devices cannot tell from a post whose it is.
            read = {"read_seq": message.seq, "unread_count": 0}
            own = payload_of("conversation.read", event, message.stream_id, **read)
            yield Frame(own, message.stream_id, (message.sender_id,))

    return render


def _reactions(event: ReactionsChanged) -> Iterable[Frame]:
    payload = payload_of(
        "reactions.changed",
        event,
        event.stream_id,
        seq=event.seq,
        counts=event.counts,
        total=event.total,
    )
    yield Frame(payload, event.stream_id)


OF_ROOMS: Final[Renderers] = {
    MembersJoined: _joined,
    MembersLeft: _left,
    MemberChanged: _member_changed,
    GroupUpdated: _updated,
    GroupDisbanded: _disbanded,
    JoinRequested: _requested,
    JoinRefused: _refused,
    AdminInvited: _invited,
    InvitationEnded: _invitation_ended,
    MessagePosted: _message("message.posted"),
    MessageEdited: _message("message.edited"),
    MessageRecalled: _message("message.recalled"),
    ReactionsChanged: _reactions,
}
