"""The limits of conversations: value, unit, source. A deployment may set each (`CHANNELS_LIMIT_<NAME>`)."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(ge=1)]
OrNone = Annotated[int, Field(ge=0)]

CONVERSATION_GROUPS: Final = 20  # of one user; reference product, error 51010
CONVERSATION_GROUP_NAME_BYTES: Final = 32  # UTF-8; reference product, error 51011
CONVERSATIONS_PER_GROUP: Final = 1_000  # requirement and reference product, error 51008
CONVERSATIONS_PER_CALL: Final = 100  # ids in one call; reference product, error 51006
DRAFT_BYTES: Final = 12 * 1024  # UTF-8; ours: a draft becomes a message, so as long as its body
CONVERSATION_CUSTOM_DATA_BYTES: Final = 256  # UTF-8; reference product, setConversationCustomData

DIALOGUES_PER_USER: Final = 5_000  # a user with so many cannot begin another; ours, as for groups
UNANSWERED_PER_USER: Final = 1_000  # begun by others, neither answered nor deleted; ours
BLOCKS_PER_USER: Final = 1_000  # users and channels that one user blocks; ours


class ConversationLimits(BaseModel):
    """The limits of this package that a deployment may set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    conversation_groups: OrNone = CONVERSATION_GROUPS
    conversation_group_name_bytes: Positive = CONVERSATION_GROUP_NAME_BYTES
    conversations_per_group: OrNone = CONVERSATIONS_PER_GROUP
    conversations_per_call: Positive = CONVERSATIONS_PER_CALL
    draft_bytes: Positive = DRAFT_BYTES
    conversation_custom_data_bytes: Positive = CONVERSATION_CUSTOM_DATA_BYTES
    dialogues_per_user: OrNone = DIALOGUES_PER_USER
    unanswered_per_user: OrNone = UNANSWERED_PER_USER
    blocks_per_user: OrNone = BLOCKS_PER_USER
