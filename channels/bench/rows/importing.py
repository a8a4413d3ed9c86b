"""The bulk import beside a bare `insert_many` of the same documents; and the one subscriber too many."""

from collections.abc import Iterator

from channels.bench.models import Row, Target, figures
from channels.bench.stage import NoSuchCall, Stage

BATCH = 5_000  # documents of one bare insert_many


async def bulk(stage: Stage) -> list[Row]:
    """`POST …/subscribers` with a line a user, until the channel is full where the plan goes so far."""
    wanted = stage.plan.imported
    what = f"{wanted:,} subscribers through the bulk import"
    name = await stage.channel("crowd")
    try:
        stage.say(f"import: {wanted:,} subscribers")
        last, seconds = await stage.bring(name, _users(wanted - 1))  # the owner is one, too
    except NoSuchCall as error:
        return [Row(name="import", what=what, skipped=str(error))]
    stage.made[wanted] = name
    # As many: the last of a million find larger indexes than the first.
    stage.say(f"import: bare insert_many of {wanted:,}")
    bare = await stage.store.bare_insert(f"@TOA#_{name}", list(_users(wanted)), BATCH)
    rows = [
        Row(
            name="import",
            what=what,
            ours=figures("the bulk import", "/s", [last["added"] / seconds]),
            yardstick=figures("bare insert_many", "/s", [wanted / bare]),
            target=Target(bound="at_least", value=0.5),
            notes=(f"{last['added']:,} added in {seconds:.1f} s",),
        )
    ]
    if wanted == 1_000_000:
        call = stage.request("PUT", f"/v1/channels/{name}/subscription", "one-too-many")
        refused = await stage.drive([call], connections=1, seconds=5)
        rows.append(
            Row(
                name="import",
                what="the next one is refused (409)",
                ours=figures("answers of 409", "", [refused.statuses[409]]),
                target=Target(bound="at_least", value=1),
            )
        )
    return rows


def _users(number: int) -> Iterator[str]:
    return (f"crowd-{each:07}" for each in range(number))
