"""The consumer of the event log: notes which messages are to be sent, and to whom.

Promises:
    Exactly once: a job is committed with the consumer's position, and its message with the end of the job.
    Once a person: the transaction that notes a greeting also marks the person as greeted.
    One answer a message: the first keyword by the name of its answer, else the one for closed hours, which a person
        gets once for each time that the channel is closed.
    Free while nothing is on: without a rule in any channel, the consumer is inactive, and reads no event. Else it
        decodes joins where any channel greets, and one-to-one messages of the channels that answer.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from channels.self_service.automatic_messages.matching import matches, words_in
from channels.self_service.automatic_messages.models import AutomaticMessage, Job, Mark, Rule
from channels.self_service.automatic_messages.opening_hours import opens_at
from channels.self_service.automatic_messages.store.delivery import DeliveryStore, MarkKey
from channels.self_service.automatic_messages.store.rules import AutomaticMessageStore, Wanting
from conversations.events import DialoguePosted
from groups.events import MembersJoined
from groups.kernel.clock import Clock
from groups.kernel.event_log.consumer import Consumer
from groups.kernel.event_log.log import EventLog
from groups.kernel.event_log.models import LogEntry, LogPosition
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Tx

NAME: Final = "automatic-messages"
_JOINED: Final = MembersJoined.model_fields["type"].default
_WRITTEN: Final = DialoguePosted.model_fields["type"].default


@dataclass(frozen=True, slots=True)
class _Occasion:
    """Something that a channel may answer by itself: users subscribed, or one wrote `text`."""

    position: LogPosition
    channel_id: GroupId
    user_ids: tuple[UserId, ...]
    at: datetime
    text: str | None = None


@dataclass(kw_only=True, slots=True)
class AutomaticMessageConsumer:
    """All that one process knows of the rules of all channels, and what it does with events."""

    log: EventLog
    rules: AutomaticMessageStore
    delivery: DeliveryStore
    clock: Clock
    on_turn: Callable[[], None]
    """Called with each turn of this process: what waits may be sent."""
    on_jobs: Callable[[], None]
    """Called when jobs are about to be committed."""
    _consumer: Consumer = field(init=False)
    _version: int = field(default=-1, init=False)
    _wanting: Mapping[GroupId, Wanting] = field(default_factory=dict, init=False)
    _greets: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._consumer = self.log.consumer(NAME, self.handle, self.wants, prepare=self.prepare)

    async def activate(self, tx: Tx) -> None:
        """Consume what is committed after `tx`; changes nothing where a rule is on already."""
        await self._consumer.activate(tx)

    async def deactivate(self, tx: Tx) -> None:
        """Consume nothing any more: the last rule is off."""
        await self._consumer.deactivate(tx)

    async def catch_up(self) -> None:
        """Note all that has a position now (tests)."""
        await self._consumer.catch_up()

    async def prepare(self, tx: Tx) -> None:
        """Learn what channels do by themselves as `tx` sees it, unless it is known already."""
        version = await self.rules.find_version(tx)
        if version != self._version:
            self._wanting = await self.rules.list_wanting(tx)
            self._greets = any(each.greets for each in self._wanting.values())
            self._version = version
        self.on_turn()

    def wants(self, event_type: str, routes: Sequence[str]) -> bool:
        """Whether an event of this type may be answered; `prepare` is called before."""
        if event_type == _JOINED:
            return self._greets
        # The peer is among the routes.
        return event_type == _WRITTEN and any(
            route in self._wanting and self._wanting[GroupId(route)].answers for route in routes
        )

    async def handle(self, entries: Sequence[LogEntry], tx: Tx) -> None:
        """Note the messages that these events are answered with."""
        occasions = [each for entry in entries for each in self._occasions_of(entry)]
        if not occasions:
            return
        rules = await self.rules.list_enabled({each.channel_id for each in occasions}, tx)
        keys = [(each.channel_id, user_id) for each in occasions for user_id in each.user_ids]
        marks = await self.delivery.find_marks(set(keys), tx)
        new: dict[MarkKey, Mark] = {}
        jobs: list[Job] = []
        for occasion in occasions:
            of_channel = rules.get(occasion.channel_id, ())
            if occasion.text is None:
                jobs += _greetings(occasion, of_channel, marks, new)
            else:
                jobs += _answers(occasion, of_channel, marks, new)
        now = self.clock.now()
        self.delivery.put_marks(new, now, tx)
        self.delivery.add_jobs(jobs, now, tx)
        if jobs:
            self.on_jobs()

    def _occasions_of(self, entry: LogEntry) -> Iterator[_Occasion]:
        event = entry.event
        if isinstance(event, MembersJoined):
            wanting = self._wanting.get(event.group_id)
            if wanting is not None and wanting.greets and not event.by_others:
                yield _Occasion(entry.position, event.group_id, event.user_ids, event.at)
        elif isinstance(event, DialoguePosted):
            channel_id, message = event.dialogue.channel_id, event.message
            # Never to what the channel says: two rules could answer each other without end.
            if channel_id is None or message.sender_id != event.user_id or not message.content:
                return
            yield _Occasion(
                entry.position, channel_id, (event.user_id,), event.at, message.content.text
            )


def _greetings(
    occasion: _Occasion,
    rules: Sequence[AutomaticMessage],
    marks: Mapping[MarkKey, Mark],
    new: dict[MarkKey, Mark],
) -> Iterator[Job]:
    greeting = next((rule for rule in rules if rule.rule is Rule.GREETING), None)
    if greeting is None or occasion.at < greeting.created_at:
        return
    for number, user_id in enumerate(occasion.user_ids):
        key = occasion.channel_id, user_id
        now = new.get(key, Mark())
        if not (marks.get(key, Mark()).is_greeted or now.is_greeted):
            new[key] = Mark(is_greeted=True, away_until=now.away_until)
            job_id = _job_id_of(occasion.position, number)
            yield Job(job_id, occasion.channel_id, user_id, Rule.GREETING)


def _answers(
    occasion: _Occasion,
    rules: Sequence[AutomaticMessage],
    marks: Mapping[MarkKey, Mark],
    new: dict[MarkKey, Mark],
) -> Iterator[Job]:
    [user_id] = occasion.user_ids
    key, job_id = (occasion.channel_id, user_id), _job_id_of(occasion.position, 0)
    rules = [rule for rule in rules if occasion.at >= rule.created_at]
    words = words_in(occasion.text or "")
    for rule in rules:
        if rule.rule is Rule.ANSWER and matches(words, rule.keywords, rule.match):
            yield Job(job_id, occasion.channel_id, user_id, Rule.ANSWER, rule.name)
            return
    away = next((rule for rule in rules if rule.rule is Rule.AWAY), None)
    until = opens_at(away.hours, occasion.at) if away is not None and away.hours else None
    now = new.get(key, Mark())
    known = now.away_until or marks.get(key, Mark()).away_until
    if until is not None and until != known:
        new[key] = Mark(is_greeted=now.is_greeted, away_until=until)
        yield Job(job_id, occasion.channel_id, user_id, Rule.AWAY)


def _job_id_of(position: LogPosition, number: int) -> str:
    return f"{position.number:013x}{position.place:06x}{number:06x}"
