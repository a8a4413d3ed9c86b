"""The bulk import beside a bare `insert_many` of the same documents, and the subscriber beyond the limit."""

from contextlib import AsyncExitStack
from typing import Final

from channels.bench.context import BenchContext
from channels.bench.models import Row, Target, figures

BATCH: Final = 5_000  # documents of one bare insert_many
STEPS: Final = 5


async def bulk_import(context: BenchContext) -> list[Row]:
    """`POST …/subscribers` with one line for each user, up to the member limit if the plan goes that far."""
    wanted = context.plan.imported
    name = await context.channel("crowd")
    users = [f"crowd-{each:07}" for each in range(wanted - 1)]  # the owner is one, too
    step = -(-wanted // STEPS)
    ours: list[float] = []
    bare: list[float] = []
    seconds = 0.0
    # In turn, so that noise of the machine affects both, and both indexes grow alike.
    async with AsyncExitStack() as stack:
        beside = None
        for first in range(0, len(users), step):
            part = users[first : first + step]
            context.say(f"import: {first + len(part):,} of {len(users):,} subscribers")
            took = await context.import_users(name, part)
            seconds += took
            ours.append(len(part) / took)
            if beside is None:
                members = context.store.bare_members(f"@TOA#_{name}")
                beside = await stack.enter_async_context(members)
            bare.append(len(part) / await beside.insert(part, BATCH))
    context.made[wanted] = name
    rows = [
        Row(
            name="import",
            what=f"{wanted:,} subscribers through the bulk import",
            ours=figures("the bulk import", "/s", ours),
            baseline=figures("bare insert_many", "/s", bare),
            target=Target(bound="at_least", value=0.5),
            notes=(f"all in {seconds:.1f} s",),
        )
    ]
    if wanted == 1_000_000:
        call = context.request("PUT", f"/v1/channels/{name}/subscription", "one-too-many")
        refused = await context.drive([call], connections=1, seconds=5)
        rows.append(
            Row(
                name="import",
                what="the next one is refused (409)",
                ours=figures("answers of 409", "", [refused.statuses[409]]),
                target=Target(bound="at_least", value=1),
            )
        )
    return rows
