"""Several server processes on one hot channel: their transactions write the same documents, and must not collapse."""

import os
from typing import Final

from channels.bench.cases.calls import CALLERS, make_hot_channel, react_anew, subscribe_new
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
        why = "the number of processes of a given server cannot be changed"
        return [Row(name="workers", what="several server processes", skipped=why)]
    await make_hot_channel(context)
    joins: dict[int, Outcome] = {}
    reactions: dict[int, Outcome] = {}
    for processes in context.plan.workers:
        context.say(f"workers: {processes}")
        async with server(context.deployment, workers=processes) as several:
            await subscribe_new(context, several, CALLERS, 1)
            joins[processes] = await subscribe_new(context, several, CALLERS, context.plan.seconds)
            reactions[processes] = await react_anew(context, several, CALLERS, context.plan.seconds)
    rows: list[Row] = []
    first, *others = context.plan.workers
    cores = len(os.sched_getaffinity(0))
    for what, outcomes in {"subscribe": joins, "react": reactions}.items():
        rates = {processes: outcome.per_second for processes, outcome in outcomes.items()}
        rows += [
            Row(
                name="workers",
                what=f"{what} on one channel, {processes} processes / {first}",
                ours=figures(f"{processes} processes", "/s", [rates[processes]]),
                baseline=figures("1 process", "/s", [rates[first]]),
                target=KEPT if processes <= cores else None,
                generator_busy=outcomes[processes].busy,
            )
            for processes in others
        ]
        points = tuple((float(processes), round(rate, 1)) for processes, rate in rates.items())
        series = Series(chart="workers", name=what, points=points)
        rows[-1] = rows[-1].model_copy(update={"series": (series,)})
    return rows
