"""Who may do what in a group: pure, total, and the only place that decides it, for every route.

Each `*_refusal` returns the refusal as an error to raise, or None; each `may_*` a plain answer. What an actor may not
even see is answered "not found" before any of these is asked (`service.access`).
"""

from groups.policy.access import (
    effective_role_of,
    grant_refusal,
    history_floor,
    listing_refusal,
    may_see,
    may_see_sender,
    reading_refusal,
    staff_refusal,
)
from groups.policy.groups import (
    INFO_FIELDS,
    disbanding_refusal,
    loses_badge,
    profile_refusal,
    updating_refusal,
)
from groups.policy.members import (
    adding_refusal,
    announces_membership,
    appointing_refusal,
    banning_from_reacting_refusal,
    importing_refusal,
    inviting_refusal,
    joining_refusal,
    leaving_refusal,
    managing_refusal,
    muting_refusal,
    removing_owner_refusal,
    removing_refusal,
    transferring_refusal,
)
from groups.policy.messages import (
    adding_reaction_refusal,
    editing_refusal,
    freezing_refusal,
    pinning_refusal,
    posting_refusal,
    reacting_refusal,
    recalling_refusal,
)

__all__ = [
    "INFO_FIELDS",
    "adding_reaction_refusal",
    "adding_refusal",
    "announces_membership",
    "appointing_refusal",
    "banning_from_reacting_refusal",
    "disbanding_refusal",
    "editing_refusal",
    "effective_role_of",
    "freezing_refusal",
    "grant_refusal",
    "history_floor",
    "importing_refusal",
    "inviting_refusal",
    "joining_refusal",
    "leaving_refusal",
    "listing_refusal",
    "loses_badge",
    "managing_refusal",
    "may_see",
    "may_see_sender",
    "muting_refusal",
    "pinning_refusal",
    "posting_refusal",
    "profile_refusal",
    "reacting_refusal",
    "reading_refusal",
    "recalling_refusal",
    "removing_owner_refusal",
    "removing_refusal",
    "staff_refusal",
    "transferring_refusal",
    "updating_refusal",
]
