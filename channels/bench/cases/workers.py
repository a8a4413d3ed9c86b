"""Several server processes on one hot channel: their transactions write the same documents, and must not collapse."""

import os
from typing import Final

from channels.bench.cases.calls import CALLERS, react_anew, subscribe_new
from channels.bench.context import BenchContext
from channels.bench.load import Outcome
from channels.bench.models import Row, Series, Target, figures
from channels.bench.processes import server

KEPT: Final = Target(bound="at_least", value=0.7)
"""The target holds for up to as many processes as there are cores. With more, a process waits for a core while others
wait for its locks; that is measured without a target."""


async def workers(context: BenchContext) -> list[Row]:
    """Subscribing and reacting with 1, 2 and 4 processes, compared with the first count."""
    if context.deployment.server is not None:
        why = "a given server has the processes it has"
        return [Row(name="workers", what="several server processes", skipped=why)]
    if not context.hot:
        context.hot = await context.channel("hot")
        await context.post(context.hot, 1)
    joins: dict[int, Outcome] = {}
    reactions: dict[int, Outcome] = {}
    for processes in context.plan.workers:
        context.say(f"workers: {processes}")
        async with server(context.deployment, workers=processes) as several:
            await subscribe_new(context, several, CALLERS, 1)
            joins[processes] = await subscribe_new(context, several, CALLERS, context.plan.seconds)
            reactions[processes] = await react_anew(context, several, CALLERS, context.plan.seconds)
    rows: list[Row] = []
    for what, outcomes in {"subscribe": joins, "react": reactions}.items():
        first, *others = context.plan.workers
        cores = len(os.sched_getaffinity(0))
        for processes in others:
            rows.append(
                Row(
                    name="workers",
                    what=f"{what} on one channel, {processes} processes / {first}",
                    ours=figures(f"{processes} processes", "/s", [outcomes[processes].per_second]),
                    baseline=figures("1 process", "/s", [outcomes[first].per_second]),
                    target=KEPT if processes <= cores else None,
                    generator_busy=outcomes[processes].busy,
                    series=(_series(what, outcomes),) if processes == others[-1] else (),
                )
            )
    return rows


def _series(what: str, outcomes: dict[int, Outcome]) -> Series:
    points = tuple((float(n), round(outcome.per_second, 1)) for n, outcome in outcomes.items())
    return Series(chart="workers", name=what, points=points)
