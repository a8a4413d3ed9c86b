"""Several server processes on one hot channel: their transactions meet on the same documents, and must not collapse."""

import os
from typing import Final

from channels.bench.cases.calls import CALLERS, react_anew, subscribe_new
from channels.bench.context import BenchContext
from channels.bench.load import Outcome
from channels.bench.models import Row, Series, Target, figures
from channels.bench.processes import server

KEPT: Final = Target(bound="at_least", value=0.7)
"""Ours: of what one process does, for as many processes as there are cores; with more, each waits for a core while it
holds what the others wait for, which is told without a target."""


async def workers(stage: BenchContext) -> list[Row]:
    """Subscribing and reacting with 1, 2, 4 processes; the first count is what the others are compared with."""
    if stage.deployment.server is not None:
        why = "a given server has the processes it has"
        return [Row(name="workers", what="several server processes", skipped=why)]
    if not stage.hot:
        stage.hot = await stage.channel("hot")
        await stage.post(stage.hot, 1)
    joins: dict[int, Outcome] = {}
    reactions: dict[int, Outcome] = {}
    for processes in stage.plan.workers:
        stage.say(f"workers: {processes}")
        async with server(stage.deployment, workers=processes) as several:
            await subscribe_new(stage, several, CALLERS, 1)
            joins[processes] = await subscribe_new(stage, several, CALLERS, stage.plan.seconds)
            reactions[processes] = await react_anew(stage, several, CALLERS, stage.plan.seconds)
    rows: list[Row] = []
    for what, outcomes in {"subscribe": joins, "react": reactions}.items():
        first, *others = stage.plan.workers
        cores = len(os.sched_getaffinity(0))
        for processes in others:
            rows.append(
                Row(
                    name="workers",
                    what=f"{what} on one channel, {processes} processes / {first}",
                    ours=figures(f"{processes} processes", "/s", [outcomes[processes].per_second]),
                    yardstick=figures("1 process", "/s", [outcomes[first].per_second]),
                    target=KEPT if processes <= cores else None,
                    generator_busy=outcomes[processes].busy,
                    series=(_series(what, outcomes),) if processes == others[-1] else (),
                )
            )
    return rows


def _series(what: str, outcomes: dict[int, Outcome]) -> Series:
    points = tuple((float(n), round(outcome.per_second, 1)) for n, outcome in outcomes.items())
    return Series(chart="workers", name=what, points=points)
