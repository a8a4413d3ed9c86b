"""Hooks of higher packages: acts in the transaction of a change in a group, and facts that groups do not know.

Calls go down, events go up. A consequence that must be committed together with its cause cannot wait for an event: a
conversation ends in the transaction that ends the membership. The composition root builds the objects behind the hooks
first, from parts that call no hook (`groups.wiring.GroupCore`), and then hands all hooks over at once.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from groups.kernel.actor import Actor
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import BatchedQuery, Tx
from groups.models import Content, Group, MemberCountChange, Message, Tallies

MessagesPostedHook = Callable[[Sequence[tuple[UserId, StreamId, int]], Tx], Awaitable[None]]
"""Members have read messages of theirs in streams of groups; the streams do not tell it any more (`Head.read_by`)."""
MembersCountedHook = Callable[[Group, MemberCountChange, Tx], Awaitable[None]]
"""A batch changes the number of members, or replaces some of them."""
MessagesCountedHook = Callable[[Group, int, datetime, Tx], Awaitable[None]]
"""A batch adds this many messages, at this instant."""
DisbandedHook = Callable[[Group, Tx], Awaitable[None]]
"""A group is disbanded, by any route."""
SignaturesHook = Callable[
    [Mapping[GroupId, Collection[UserId]], Tx], Awaitable[Mapping[GroupId, Mapping[UserId, str]]]
]
"""Returns the names under which these authors post in these channels; authors who do not sign are absent."""
ShowsOwnerHook = Callable[[Group, Tx], Awaitable[bool]]
"""Returns whether a channel shows its owner to everybody."""
KnownOwnersHook = Callable[[Actor, Collection[UserId]], Awaitable[Collection[UserId]]]
"""Returns those of the users whom the actor may know as owners, whether they have a profile or not."""
MayForwardHook = Callable[[Group, Tx], Awaitable[bool]]
"""Returns whether a message of the group may be forwarded."""
PrivateSourceHook = Callable[[Actor, StreamId, int, Tx], Awaitable[Message | None]]
"""Finds the message to forward in a conversation of the actor that is not a group; None where there is none.

Raises: ForwardingNotAllowed.
"""
ProfileHook = Callable[[Collection[GroupId]], BatchedQuery[dict[GroupId, dict[str, object]]]]
"""Queries the JSON-ready fields that the groups' profiles have beyond the groups; groups that have none are absent.

A join sends it together with its other queries, so it costs no database command of its own.
"""


class Proposal(NamedTuple):
    """A message that is to be stored, or the new content of one."""

    actor: Actor
    event: Event
    """The event that storing it would publish. Of a message that is not stored yet, seq and time are guesses."""
    message: Message
    is_edit: bool = False


BeforePostHook = Callable[[Proposal], Awaitable[Content]]
"""Reviews a message before it is stored: returns its content, or another one to store instead.

It is called outside of any transaction, lock and batch, and may take seconds. A message that the rules refuse is not
shown to it, nor a repeat of a stored one. Two repeats at once may both be shown. Raises: MessageRefused;
ReviewUnavailable.
"""
BlockPair = tuple[str, str]
"""A user who may block, and the id of a user or group that they may block."""
ReadCursorHook = Callable[[UserId, StreamId], BatchedQuery[int]]
"""Queries the last message that a member has read, as far as stored; 0 where nothing is.

Joining counts as reading, and so does writing (`Head.read_by`)."""
StreamEndedHook = Callable[[StreamId], Awaitable[None]]
"""Deletes what belongs to an ended stream, outside a transaction. A crash repeats the call, so it is idempotent."""
ReactionsClosedHook = Callable[[StreamId, int, Tx], Awaitable[None]]
"""A message, by its seq, is deleted or its reactions are frozen. Reactions that did not see it must conflict."""
RecalledHook = Callable[[Message, Tx], Awaitable[None]]
"""A message is deleted for everyone; it is given as it was before, with the content."""
MessagesEndedHook = Callable[[StreamId, Sequence[int], Tx], Awaitable[None]]
"""Deletes what is kept about these messages of a group, by seq, which end with the days that they are kept."""
DeleteReactionsHook = Callable[[StreamId, Sequence[int], Tx], Awaitable[Sequence[int]]]
"""Deletes reactions to these messages of a stream, a bounded number; returns those that have none any more."""
DeleteOfStream = Callable[[StreamId, Tx], Awaitable[int]]
"""Deletes some of what is kept about the messages of an ended stream, and returns how much.

It is called in one transaction after the other until it returns 0 (`StreamService.delete_remains`).
"""


TokensRevokedHook = Callable[[UserId, Tx], Awaitable[None]]
"""The tokens of a user are revoked: what the user signed in to reach ends."""


class LeavingHook(Protocol):
    """Acts when memberships end: the users leave, are removed, or the group is disbanded."""

    def query_leaving(self, users: Mapping[GroupId, Collection[UserId]]) -> BatchedQuery[Any]:
        """Query what is stored about these memberships, which may end, to send together with other queries."""

    async def members_left(
        self, users: Mapping[GroupId, Collection[UserId]], stored: Any, tx: Tx
    ) -> None:
        """Act on the end of these memberships. `stored` is what `query_leaving` found about these and maybe others."""


class BlockReader(Protocol):
    """Finds who blocks whom, and which groups."""

    def query_blocks(self, pairs: Collection[BlockPair]) -> BatchedQuery[set[BlockPair]]:
        """Those of the pairs that are blocks, as a query to send together with others."""

    async def find_blocks(
        self, pairs: Collection[BlockPair], tx: Tx | None = None
    ) -> set[BlockPair]:
        """Those of the pairs that are blocks."""


class TallyQuery(Protocol):
    """A query for the reactions to messages, as several readers see them."""

    @property
    def queries(self) -> Sequence[BatchedQuery[Any]]:
        """Queries to send in the command that looks up the messages, behind that query."""

    def by_user(self) -> Mapping[UserId, Tallies]:
        """The tallies each reader sees; valid once the queries are answered."""


class TalliesQuery(Protocol):
    """A query for the reactions to messages of several streams, each as its own readers see them."""

    @property
    def queries(self) -> Sequence[BatchedQuery[Any]]:
        """Queries to send together with others."""

    def of_page(
        self, stream_id: StreamId, seqs: Sequence[int], user_ids: Sequence[UserId]
    ) -> Mapping[UserId, Tallies]:
        """The tallies each reader of these messages sees; valid once the queries are answered."""


class TallyReader(Protocol):
    """Reads the reactions to messages. The caller checks whether a user may read the messages."""

    def query_beside(
        self, messages: BatchedQuery[Sequence[Message]], user_ids: Sequence[UserId]
    ) -> TallyQuery:
        """Prepare the queries for the tallies of the messages that `messages` finds, so both cost one command."""

    def query_pages(
        self, pages: Sequence[tuple[StreamId, Sequence[int], Sequence[UserId]]]
    ) -> TalliesQuery:
        """Prepare the queries for the tallies of messages of several streams, and the users who read them."""

    async def tallies_of(
        self, user_id: UserId, stream_id: StreamId, seqs: Sequence[int]
    ) -> Tallies:
        """The tally of each of the messages that has one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hooks:
    """All hooks of a deployment.

    They run in the given order, inside the transaction. Only `before_post`, `tallies`, `read_cursor`, `known_owners`,
    `stream_ended`, `profile` and `blocks` do not: they run outside, or only build a query. A deployment of groups alone
    has none of them.
    """

    before_post: BeforePostHook | None = None
    members_left: Sequence[LeavingHook] = ()
    messages_posted: Sequence[MessagesPostedHook] = ()
    members_counted: Sequence[MembersCountedHook] = ()
    messages_counted: Sequence[MessagesCountedHook] = ()
    disbanded: Sequence[DisbandedHook] = ()
    reactions_closed: Sequence[ReactionsClosedHook] = ()
    recalled: Sequence[RecalledHook] = ()
    delete_reactions: DeleteReactionsHook | None = None
    messages_ended: Sequence[MessagesEndedHook] = ()
    ends_with_other: Callable[[StreamId], bool] = lambda _: False
    """Whether the messages of a stream end together with another message only, as comments do."""
    stream_ended: Sequence[StreamEndedHook] = ()
    delete_of_stream: Sequence[DeleteOfStream] = ()
    """Called after `stream_ended`."""
    signatures: SignaturesHook | None = None
    shows_owner: ShowsOwnerHook | None = None
    may_forward: MayForwardHook | None = None
    private_source: PrivateSourceHook | None = None
    known_owners: KnownOwnersHook | None = None
    profile: ProfileHook | None = None
    tallies: TallyReader | None = None
    blocks: BlockReader | None = None
    read_cursor: ReadCursorHook | None = None
    tokens_revoked: Sequence[TokensRevokedHook] = ()
