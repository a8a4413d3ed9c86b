"""The migrations of stored data, from each version to the next.

What it promises: after these steps a database of any released version is as if this program had written it. A change of
what is stored adds a step at the end, and a test that begins with the older data. Released steps never change.
"""

from functools import partial

from channels.analytics.audit.service import muted_count
from channels.wiring import Channels
from groups.kernel.data_checks import repair_findings
from groups.kernel.mongo import Database
from groups.kernel.mongo.schema import Migration
from groups.wiring import GroupChat


def migrations(database: Database, chat: GroupChat, channels: Channels) -> tuple[Migration, ...]:
    """All steps in order. The version of the last one is this program's."""
    muted = muted_count(database, chat)
    return (
        Migration(1, "verified badges stand with the group", channels.verified_badges.move_badges),
        Migration(2, "who has muted a group is counted", partial(repair_findings, database, muted)),
        Migration(3, "the bytes of each user's uploads are counted", chat.media.recount_usage),
        Migration(
            4,
            "the bytes that each stream's messages carry are counted",
            chat.streams.count_all_media_bytes,
        ),
        Migration(5, "users are found by their names", chat.users.key_all_names),
    )
