"""Works on jobs: every process has a worker, and each job is one worker's at a time, by a lease.

A worker takes a job for one page of users, sends it in steps, and gives it back, so that jobs take turns. After each
step one transaction stores how far the job is, the figures, which devices are gone, and what is tried again later.

What a crash leaves: before that transaction, the step is sent again by whoever takes the job next; they know from
`in_flight` that it may be a repetition, and say so. After it, nothing.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final, Protocol

from channels.push.delivery.models import DeviceKey, Figures, Job
from channels.push.delivery.service.audience import Audience, Opened, Page
from channels.push.delivery.service.presence import Presence
from channels.push.delivery.store.jobs import JobStore
from channels.push.models import Device
from channels.push.senders.models import (
    FAILED,
    LATER,
    Delivery,
    Notification,
    Outcome,
    Sender,
    Verdict,
)
from channels.push.service.devices import DeviceRegistry
from groups.kernel.background import cancel
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId, mint_id
from groups.kernel.mongo import Database, Tx, is_outage

STEP: Final = 100
"""Devices between two notes of how far the job is: at most so many get a repetition after a kill."""
JOBS_AT_ONCE: Final = 16
LEASE_SECONDS: Final = 30.0
SLICE_SECONDS: Final = 1.0
"""How long a worker keeps a job while its pages hold nobody who is notified."""
LOOK_SECONDS: Final = 2.0
"""Between two looks for jobs of other processes."""
SOON_SECONDS: Final = (0.02, 0.05, 0.1, 0.2, 0.5)
"""Looks after this process noted jobs, whose transaction is about to be committed."""
STOP_SECONDS: Final = 15.0
"""How long a process that stops waits for the step that it sends, which a push service holds up for 10 at most."""
RETRY_SECONDS: Final = (30.0, 300.0, 1_800.0, 7_200.0)
"""Before the second, third, fourth and fifth attempt. After it the notification has failed."""

log = logging.getLogger(__name__)


class PostFigures(Protocol):
    """Keeps the figures of posts."""

    def add_pushes(
        self, channel_id: GroupId, seq: int, *, pushed: int, rejected: int, failed: int, tx: Tx
    ) -> None:
        """Add to the figures of a post, when the transaction commits."""


OnOutcomes = Callable[[str, str, int], None]
"""Counts what became of notifications, for the metrics: the platform, the verdict, and how many."""


@dataclass(frozen=True, slots=True)
class _Step:
    """Devices that are sent to together, and the last user among them."""

    deliveries: Sequence[Delivery]
    last: str


@dataclass(kw_only=True, slots=True, eq=False)
class PushWorker:
    """The worker of one process. `senders` are by the platforms of devices; without any, there is nothing to do."""

    database: Database
    jobs: JobStore
    audience: Audience
    registry: DeviceRegistry
    presence: Presence
    senders: Mapping[str, Sender]
    figures: PostFigures
    clock: Clock
    on_outcomes: OnOutcomes
    step: int = STEP
    waiting_seconds: float = field(default=0.0, init=False)
    """How long the oldest due job that this worker saw has been waiting."""
    _working: dict[str, asyncio.Task[None]] = field(default_factory=dict, init=False)
    _woken: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _is_expecting: bool = field(default=False, init=False)
    _is_stopping: bool = field(default=False, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _keeper: asyncio.Task[None] | None = field(default=None, init=False)

    def start(self) -> None:
        """Work in the background; on mongomock there are no jobs."""
        if self._task is None and self.senders and self.database.transactional:
            self._is_stopping = False
            self._task = asyncio.create_task(self._repeat(), name="push-worker")
            self._keeper = asyncio.create_task(self._keep_leases(), name="push-leases")

    async def close(self) -> None:
        """Finish the steps that are being sent, and leave the rest to another process or the next start."""
        self._is_stopping = True
        if self._task is not None and self._keeper is not None:
            await cancel(self._task)
            if self._working:
                await asyncio.wait(self._working.values(), timeout=STOP_SECONDS)
            await cancel(self._keeper, *self._working.values())
            self._task = self._keeper = None
        for sender in self.senders.values():
            await sender.close()

    def wake(self) -> None:
        """Jobs are about to be committed."""
        self._is_expecting = True
        self._woken.set()

    async def _repeat(self) -> None:
        soon = list[float]()
        while True:
            try:
                if self.presence.is_active or soon:
                    await self._take()
            # Any error: the jobs stay, and the next look may succeed.
            except Exception as error:
                _report(error)
            with suppress(TimeoutError):
                async with asyncio.timeout(soon.pop(0) if soon else LOOK_SECONDS):
                    await self._woken.wait()
            self._woken.clear()
            if self._is_expecting:
                self._is_expecting = False
                soon = list(SOON_SECONDS)

    async def _take(self) -> None:
        """Begin to work on due jobs, as many as there is room for."""
        room = JOBS_AT_ONCE - len(self._working)
        if room > 0 and not self._is_stopping:
            now, database_now = self.clock.now(), self.database.clock.now()
            due = await self.jobs.list_due(now, database_now, room)
            oldest = due[0].due_at if due else None
            self.waiting_seconds = (now - oldest).total_seconds() if oldest else 0.0
            until = database_now + timedelta(seconds=LEASE_SECONDS)
            for job in due:
                if job.job_id in self._working:
                    continue
                mine = await self.jobs.claim(job, self._holder, until)
                if mine is not None:
                    task = asyncio.create_task(self._work_on(mine), name="push-job")
                    self._working[mine.job_id] = task

    @property
    def _holder(self) -> str:
        return self.database.turns.process_id

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            try:
                if self._working:
                    until = self.database.clock.now() + timedelta(seconds=LEASE_SECONDS)
                    await self.jobs.renew(list(self._working), self._holder, until)
            # Any error: the lease has two more thirds.
            except Exception as error:
                _report(error)

    async def _work_on(self, job: Job) -> None:
        try:
            due_at = self.clock.now()
            try:
                if await self._send_some(job):
                    return
            # Any error: the job is tried again after a while, since a defect must not hold up the other jobs.
            except Exception as error:
                _report(error)
                due_at += timedelta(seconds=RETRY_SECONDS[0])
            await self.jobs.release(job, self._holder, due_at)
        # Any error of the database: the lease ends by itself.
        except Exception as error:
            _report(error)
        finally:
            self._working.pop(job.job_id, None)
            self._woken.set()

    async def _send_some(self, job: Job) -> bool:
        """Send a page of the job. Returns whether the job is over."""
        opened = await self.audience.open(job)
        if opened is None:
            await self.jobs.finish(job, self._holder)
            return True
        if job.is_retry:
            page = await self.audience.read(opened, "", None)
            await self._send_retry(opened, page.deliveries)
            return True
        began_at = asyncio.get_running_loop().time()
        while True:
            upto = job.start if job.is_wrapped else None
            page = await self.audience.read(opened, job.cursor, upto)
            is_over = page.is_end and (job.is_wrapped or not job.start)
            # At the end of the order of users, the first ones come next.
            after = (
                replace(job, cursor="", is_wrapped=True)
                if page.is_end and not is_over
                else replace(job, cursor=page.last)
            )
            steps = self._steps_of(page)
            if not await self._send_steps(opened, job, after, steps, is_over=is_over):
                # A newer message has begun, or another worker took over. Or this process stops.
                return False
            if is_over:
                return True
            job = replace(after, in_flight=None)
            opened = replace(opened, job=job)
            if steps or asyncio.get_running_loop().time() - began_at > SLICE_SECONDS:
                return False

    async def _send_steps(
        self, opened: Opened, job: Job, after: Job, steps: Sequence[_Step], *, is_over: bool
    ) -> bool:
        """Send the steps of a page, and store the job as it is `after` them. Returns whether all of it was done."""
        if not steps:
            return await self._advance(job, after, is_over=is_over)
        if not await self.jobs.mark_in_flight(job, self._holder, steps[0].last):
            return False
        for number, step in enumerate(steps):
            is_last = number == len(steps) - 1
            outcomes = await self._send(opened.notification, _marked(step.deliveries, job))
            reached = after if is_last else replace(job, cursor=step.last)
            if not is_last and not self._is_stopping:
                reached = replace(reached, in_flight=steps[number + 1].last)
            else:
                reached = replace(reached, in_flight=None)
            kept = await self._settle(
                job, step.deliveries, outcomes, reached, is_over=is_over and is_last
            )
            if not kept or (self._is_stopping and not is_last):
                return False
            job = replace(job, in_flight=None)
        return True

    async def _advance(self, job: Job, after: Job, *, is_over: bool, tx: Tx | None = None) -> bool:
        if is_over:
            return await self.jobs.finish(job, self._holder, tx)
        return await self.jobs.advance(
            job,
            self._holder,
            cursor=after.cursor,
            is_wrapped=after.is_wrapped,
            in_flight=after.in_flight,
            tx=tx,
        )

    async def _settle(
        self,
        job: Job,
        deliveries: Sequence[Delivery],
        outcomes: Sequence[Outcome],
        reached: Job,
        *,
        is_over: bool,
    ) -> bool:
        """Store what became of a step. Returns whether the job is still this worker's, for this message."""
        gone, later, figures = _sorted_out(job, deliveries, outcomes)

        async def work(tx: Tx) -> bool:
            kept = await self._advance(job, reached, is_over=is_over, tx=tx)
            if kept:
                for seconds, devices in later.items():
                    self._put_retry(replace(job, job_id=mint_id(), attempt=1), seconds, devices, tx)
            await self._record(job, figures, gone, tx)
            return kept

        return await self.database.run(work, _lock_of(job))

    async def _send_retry(self, opened: Opened, deliveries: Sequence[Delivery]) -> None:
        """Send to the devices of a retry that are still to be notified, and end it, or store the next one."""
        job = opened.job
        outcomes = await self._send(opened.notification, deliveries)
        gone, later, figures = _sorted_out(job, deliveries, outcomes)

        async def work(tx: Tx) -> None:
            # A newer message may have ended it, and then nothing is tried again.
            if await self.jobs.finish(job, self._holder, tx):
                for seconds, devices in later.items():
                    again = replace(job, job_id=mint_id(), attempt=job.attempt + 1)
                    self._put_retry(again, seconds, devices, tx)
            await self._record(job, figures, gone, tx)

        await self.database.run(work, _lock_of(job))

    def _put_retry(self, job: Job, seconds: float, devices: Sequence[DeviceKey], tx: Tx) -> None:
        due_at = self.clock.now() + timedelta(seconds=seconds)
        retry = replace(
            job, device_keys=tuple(devices), start="", cursor="", is_wrapped=False, in_flight=None
        )
        self.jobs.put_retry(retry, due_at, tx)

    async def _record(self, job: Job, figures: Figures, gone: Sequence[Device], tx: Tx) -> None:
        if job.is_channel and job.group_id is not None and figures != Figures():
            self.figures.add_pushes(
                job.group_id,
                job.seq,
                pushed=figures.pushed,
                rejected=figures.rejected,
                failed=figures.failed,
                tx=tx,
            )
        if gone:
            await self.registry.remove_unchanged_in(gone, tx)

    async def _send(
        self, notification: Notification, deliveries: Sequence[Delivery]
    ) -> list[Outcome]:
        """Send to devices of all platforms; the outcomes are in their order."""
        places: dict[str, list[int]] = {}
        for place, delivery in enumerate(deliveries):
            places.setdefault(delivery.device.target.platform, []).append(place)
        outcomes = [FAILED] * len(deliveries)

        async def send(platform: str, of_platform: Sequence[int]) -> None:
            sender = self.senders.get(platform)
            if sender is None:
                return
            try:
                sent = await sender.send(notification, [deliveries[n] for n in of_platform])
            # A defect of one way out must not repeat what another one sent.
            except Exception:
                log.exception("notifications by %s failed", platform)
                sent = [LATER] * len(of_platform)
            for place, outcome in zip(of_platform, sent, strict=True):
                outcomes[place] = outcome
            for verdict in Verdict:
                number = sum(outcome.verdict is verdict for outcome in sent)
                if number:
                    self.on_outcomes(platform, verdict, number)

        await asyncio.gather(*(send(*each) for each in places.items()))
        return outcomes

    def _steps_of(self, page: Page) -> list[_Step]:
        """The deliveries of a page in steps of whole users. Devices of a platform without a way out are left out."""
        steps: list[_Step] = []
        step: list[Delivery] = []
        for delivery in page.deliveries:
            if delivery.device.target.platform not in self.senders:
                continue
            if len(step) >= self.step and step[-1].device.user_id != delivery.device.user_id:
                steps.append(_Step(step, step[-1].device.user_id))
                step = []
            step.append(delivery)
        if step:
            steps.append(_Step(step, step[-1].device.user_id))
        return steps


def _lock_of(job: Job) -> str:
    return f"push {job.job_id}"


def _marked(deliveries: Sequence[Delivery], job: Job) -> Sequence[Delivery]:
    """The deliveries, with those marked that another process may have sent already."""
    if job.in_flight is None:
        return deliveries
    upto = job.in_flight
    return [replace(each, is_repeat=each.device.user_id <= upto) for each in deliveries]


def _sorted_out(
    job: Job, deliveries: Sequence[Delivery], outcomes: Sequence[Outcome]
) -> tuple[list[Device], dict[float, list[DeviceKey]], Figures]:
    """The devices that are gone, those to try again by the seconds until then, and the figures."""
    gone: list[Device] = []
    later: dict[float, list[DeviceKey]] = {}
    figures = Figures()
    for delivery, outcome in zip(deliveries, outcomes, strict=True):
        device = delivery.device
        match outcome.verdict:
            case Verdict.SENT:
                figures.pushed += 1
            case Verdict.GONE:
                figures.rejected += 1
                gone.append(device)
            case Verdict.FAILED:
                figures.failed += 1
            case Verdict.LATER if job.attempt >= len(RETRY_SECONDS):
                figures.failed += 1
            case Verdict.LATER:
                seconds = _pause(job.attempt, outcome.retry_after_seconds)
                later.setdefault(seconds, []).append((device.user_id, device.device_id))
    return gone, later, figures


def _pause(attempt: int, asked_seconds: float) -> float:
    """The pause before the next attempt: one of a few, so that few retries are stored."""
    own = RETRY_SECONDS[attempt]
    return next(
        (each for each in RETRY_SECONDS if each >= max(own, asked_seconds)), RETRY_SECONDS[-1]
    )


def _report(error: Exception) -> None:
    if not is_outage(error):
        log.error("push notifications failed", exc_info=error)
