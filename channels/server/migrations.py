"""What changed in the stored data from version to version, and how an older deployment is brought to this one.

What it promises: a database of any landed version is served after these steps as if it had been stored by this program.
A change of what is stored adds a step at the end, and a test from what the older one left; none is changed later.
"""

from functools import partial

from channels.analytics.audit.service import muted_count
from channels.wiring import Channels
from groups.kernel.audit import set_right
from groups.kernel.mongo import Database
from groups.kernel.mongo.schema import Step
from groups.wiring import GroupChat


def steps(database: Database, chat: GroupChat, channels: Channels) -> tuple[Step, ...]:
    """All of them, in order; the last one's version is this program's."""
    muted = muted_count(database, chat)
    return (
        Step(1, "verified badges stand with the group", channels.verified_badges.move_badges),
        Step(2, "who has muted a group is counted", partial(set_right, database, muted)),
        Step(3, "the bytes of each user's uploads are counted", chat.media.count_all),
        Step(
            4,
            "the bytes that each stream's messages carry are counted",
            chat.streams.count_all_media_bytes,
        ),
    )
