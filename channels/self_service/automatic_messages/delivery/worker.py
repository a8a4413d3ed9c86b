"""Sends what the consumer noted, in the process whose turn the consumer is.

Promises:
    Once: a message is committed together with the end of its job, so of two processes that send it, one finds nothing.
        A process that dies leaves the job, and the next turn of any process sends it.
    In order: what one person gets is sent in the order of what it answers.
    Cheap: messages of one rule to many people share transactions of `AT_ONCE`. 10,000 greetings took 11 seconds on 2
        cores under a load of 10: 0.37 ms of processor time of the server for each, and 0.31 ms of the database.
    Free while nothing is on: it looks only when the consumer has its turn here.
Who has left, blocks the channel, or has switched it off gets nothing; they count as not greeted.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from channels.self_service.automatic_messages.models import AutomaticMessage, Job, Rule
from channels.self_service.automatic_messages.store.delivery import DeliveryStore
from channels.self_service.automatic_messages.store.rules import AutomaticMessageStore
from conversations.models import DialogueMessage
from conversations.service.dialogues import DialogueService
from groups.errors import MessageRefused
from groups.kernel.background import cancel
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError, RateLimited, Unready
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx, is_outage

AT_ONCE: Final = 50  # people a transaction, as `channels.service.inbox_batches`
_LOOKED_AT: Final = 500  # jobs a look
_SOON_SECONDS: Final = (0.01, 0.02, 0.05, 0.1, 0.3, 1.0)
"""When to look again after jobs were about to be committed: the commit takes a moment."""
AGAIN_SECONDS: Final = 30.0
"""Before a message that could not be sent is tried again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Group:
    """Jobs of one rule, of different people."""

    channel_id: GroupId
    rule: Rule
    name: str
    jobs: dict[UserId, Job]

    def takes(self, job: Job) -> bool:
        same = (self.channel_id, self.rule, self.name) == (job.channel_id, job.rule, job.name)
        return same and job.user_id not in self.jobs and len(self.jobs) < AT_ONCE


@dataclass(kw_only=True, slots=True, eq=False)
class AutomaticMessageWorker:
    """The worker of one process."""

    database: Database
    rules: AutomaticMessageStore
    delivery: DeliveryStore
    dialogues: DialogueService
    clock: Clock
    _woken: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _is_expecting: bool = field(default=False, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def start(self) -> None:
        """Work in the background; on mongomock there are no jobs."""
        if self._task is None and self.database.transactional:
            self._task = asyncio.create_task(self._repeat(), name="automatic-messages")

    async def close(self) -> None:
        """Stop, and leave the rest to another process or the next start."""
        if self._task is not None:
            await cancel(self._task)
            self._task = None

    def look(self) -> None:
        """It is this process's turn: jobs may be left."""
        self._woken.set()

    def expect(self) -> None:
        """Jobs are about to be committed."""
        self._is_expecting = True
        self._woken.set()

    async def _repeat(self) -> None:
        soon = list[float]()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(soon.pop(0) if soon else None):
                    await self._woken.wait()
            self._woken.clear()
            if self._is_expecting:
                self._is_expecting = False
                soon = list(_SOON_SECONDS)
            try:
                while await self.send_due():
                    pass
            # Any error: the jobs stay, and the next look may succeed.
            except Exception as error:
                if not is_outage(error):
                    log.exception("automatic messages are not sent")

    async def send_due(self) -> int:
        """Send what is due, up to a bound; returns how many jobs it looked at."""
        jobs = await self.delivery.list_due(self.clock.now(), _LOOKED_AT)
        if not jobs:
            return 0
        rules = await self.rules.list_enabled({job.channel_id for job in jobs})
        for group in _groups_of(jobs):
            rule = _rule_of(group, rules.get(group.channel_id, ()))
            await self._send(group, rule)
        return len(jobs)

    async def _send(self, group: _Group, rule: AutomaticMessage | None) -> None:
        jobs = group.jobs

        async def still_due(tx: Tx) -> Collection[UserId]:
            left = await self.delivery.find_left(list(jobs.values()), tx)
            return {user_id for user_id, job in jobs.items() if job.job_id in left}

        async def settle(outcomes: Mapping[UserId, DialogueMessage | DomainError], tx: Tx) -> None:
            later = [jobs[user_id] for user_id, each in outcomes.items() if _is_passing(each)]
            done = [jobs[user_id] for user_id, each in outcomes.items() if not _is_passing(each)]
            if later:
                await self.delivery.postpone(later, self._again_at, tx)
            self._end(
                done,
                [user_id for user_id, each in outcomes.items() if isinstance(each, DomainError)],
                tx,
            )

        try:
            if rule is None:
                await self._drop(list(jobs.values()))
            else:
                await self.dialogues.post_automatically(
                    group.channel_id,
                    {user_id: job.key for user_id, job in jobs.items()},
                    rule.content,
                    still_due=still_due,
                    settle=settle,
                )
        except MessageRefused:
            await self._drop(list(jobs.values()))
        # Any error: a defect in one message must not hold up those of other channels.
        except Exception as error:
            if is_outage(error):
                raise
            if not isinstance(error, DomainError):
                log.exception("an automatic message is not sent")
            await self.delivery.postpone(list(jobs.values()), self._again_at)

    @property
    def _again_at(self) -> datetime:
        return self.clock.now() + timedelta(seconds=AGAIN_SECONDS)

    async def _drop(self, jobs: Sequence[Job]) -> None:
        """End jobs without a message: the rule is gone or off, or the application refuses its content."""

        async def work(tx: Tx) -> None:
            left = await self.delivery.find_left(jobs, tx)
            ended = [job for job in jobs if job.job_id in left]
            self._end(ended, [job.user_id for job in ended], tx)

        await self.database.run(work)

    def _end(self, jobs: Sequence[Job], unsent: Collection[UserId], tx: Tx) -> None:
        """Delete jobs. Of `unsent` nobody counts as greeted, so that they are when they subscribe the next time."""
        self.delivery.delete_jobs(jobs, tx)
        self.delivery.take_back_greetings(
            [
                (job.channel_id, job.user_id)
                for job in jobs
                if job.rule is Rule.GREETING and job.user_id in unsent
            ],
            tx,
        )


def _groups_of(jobs: Sequence[Job]) -> list[_Group]:
    """The jobs in groups that are sent one after the other; a person's later jobs are in later groups."""
    groups: list[_Group] = []
    last: dict[tuple[GroupId, UserId], int] = {}
    for job in jobs:
        person = job.channel_id, job.user_id
        first = last.get(person, -1) + 1
        place = next((n for n in range(first, len(groups)) if groups[n].takes(job)), len(groups))
        if place == len(groups):
            groups.append(_Group(job.channel_id, job.rule, job.name, {}))
        groups[place].jobs[job.user_id] = job
        last[person] = place
    return groups


def _rule_of(group: _Group, rules: Sequence[AutomaticMessage]) -> AutomaticMessage | None:
    return next(
        (each for each in rules if (each.rule, each.name) == (group.rule, group.name)), None
    )


def _is_passing(outcome: DialogueMessage | DomainError) -> bool:
    """Whether the message may be sent later."""
    return isinstance(outcome, RateLimited | Unready)
