"""The limits of conversations. A deployment may set each field of `ConversationLimits` (`CHANNELS_LIMIT_<NAME>`)."""

from typing import Annotated, Final

from groups.kernel.limits import About, LimitModel, OrNone, Positive, Section, Source

# Defaults that types of bodies name too.
CONVERSATION_GROUPS: Final = 20
CONVERSATION_GROUP_NAME_BYTES: Final = 32
CONVERSATIONS_PER_GROUP: Final = 1_000
CONVERSATIONS_PER_CALL: Final = 100
DRAFT_BYTES: Final = 12 * 1024
CONVERSATION_CUSTOM_DATA_BYTES: Final = 256
DIALOGUES_PER_USER: Final = 5_000
UNANSWERED_PER_USER: Final = 1_000
BLOCKS_PER_USER: Final = 1_000
CHANNEL_MESSAGES_PER_CALL: Final = 500
"""Users whom one call writes to for a channel: some seconds of work."""
MUTE_DAYS: Final = 366
"""How far ahead a conversation may be muted until an instant; for longer, users mute it for ever."""
OPENED_THREADS_PER_DAY: Final = 10_000
INBOX_TAGS: Final = 100
TAGS_PER_THREAD: Final = 5
TAG_CHARACTERS: Final = 30


class ConversationLimits(LimitModel):
    """The limits of this package that a deployment may set."""

    conversation_groups: Annotated[
        OrNone,
        About(Section.CONVERSATIONS, Source.TENCENT, "`conversation_group_limit_reached`"),
    ] = CONVERSATION_GROUPS
    """Conversation groups of one user."""
    conversation_group_name_bytes: Annotated[
        Positive, About(Section.CONVERSATIONS, Source.TENCENT, "`field_too_long`")
    ] = CONVERSATION_GROUP_NAME_BYTES
    """The name of a conversation group."""
    conversations_per_group: Annotated[
        OrNone, About(Section.CONVERSATIONS, Source.TENCENT, "`conversations_per_group_reached`")
    ] = CONVERSATIONS_PER_GROUP
    """Conversations in one conversation group."""
    conversations_per_call: Annotated[
        Positive, About(Section.CONVERSATIONS, Source.TENCENT, "`invalid_request`")
    ] = CONVERSATIONS_PER_CALL
    """Conversations that one call adds to or removes from a conversation group."""
    draft_bytes: Annotated[
        Positive, About(Section.CONVERSATIONS, Source.OURS, "`field_too_long`")
    ] = DRAFT_BYTES
    """The unsent text that a user keeps in a conversation. As long as a message."""
    conversation_custom_data_bytes: Annotated[
        Positive, About(Section.CONVERSATIONS, Source.TENCENT, "`field_too_long`")
    ] = CONVERSATION_CUSTOM_DATA_BYTES
    """The custom data that a user keeps with a conversation."""
    dialogues_per_user: Annotated[
        OrNone, About(Section.CONVERSATIONS, Source.OURS, "`dialogue_limit_reached`")
    ] = DIALOGUES_PER_USER
    """One-to-one conversations of one user. With so many they begin no more, but can still be written to."""
    unanswered_per_user: Annotated[
        OrNone, About(Section.CONVERSATIONS, Source.OURS, "`unanswered_limit_reached`")
    ] = UNANSWERED_PER_USER
    """Other users who wait for one user to answer their first message. Answering or deleting one makes room."""
    blocks_per_user: Annotated[
        OrNone, About(Section.CONVERSATIONS, Source.OURS, "`block_limit_reached`")
    ] = BLOCKS_PER_USER
    """Users and channels that one user blocks."""
    inbox_tags: Annotated[
        OrNone, About(Section.CONVERSATIONS, Source.OURS, "`inbox_tag_limit_reached`")
    ] = INBOX_TAGS
    """Different tags that the threads of one channel have."""
    opened_threads_per_day: Annotated[
        OrNone, About(Section.CONVERSATIONS, Source.OURS, "`daily_thread_limit_reached`")
    ] = OPENED_THREADS_PER_DAY
    """Threads that one channel begins in a day (UTC). Threads that users begin, and further messages, do not count."""
