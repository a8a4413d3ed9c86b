"""Decides which reactions a group's settings, or rules like them, allow; pure and total.

`groups.policy.reacting_refusal` decides who may react at all. Nothing here limits removing one's own reaction.
"""

from collections.abc import Collection, Mapping
from typing import assert_never

from groups import policy
from groups.kernel.errors import DomainError, PermissionRefused
from groups.models import AccessContext, ReactionChoice
from reactions.errors import DistinctReactionsReached, ReactionNotAllowed, ReactionsPerUserReached
from reactions.limits import BASIC_REACTIONS
from reactions.models import ReactionRules


def allows(choice: ReactionChoice, emoji: str) -> bool:
    """Whether the setting allows the emoji (in its canonical spelling)."""
    match choice:
        case "all":
            return True
        case "basic":
            return emoji in BASIC_REACTIONS
        case "none":
            return False
        case tuple():
            return emoji in choice
        case _ as unreachable:
            assert_never(unreachable)


def freed_by(rules: ReactionRules, own: Collection[str]) -> frozenset[str]:
    """Return the emoji of a user that a new one replaces: all of them if only one is allowed, else none."""
    return frozenset(own) if rules.reactions_per_user == 1 else frozenset()


def adding_refusal(
    rules: ReactionRules, counts: Mapping[str, int], own: Collection[str], emoji: str
) -> DomainError | None:
    """Return the refusal of a new emoji, for a user who holds `own` on a message with these counts.

    An allowed emoji that the user holds already is never refused. Emoji that the new one replaces do not count: the
    last holder of an emoji may replace it by a new one on a message that is full.
    """
    if not allows(rules.reactions, emoji):
        return ReactionNotAllowed()
    if emoji in own:
        return None
    freed = freed_by(rules, own)
    if len(own) - len(freed) >= rules.reactions_per_user:
        return ReactionsPerUserReached(limit=rules.reactions_per_user)
    if counts.get(emoji):
        return None
    distinct = sum(1 for other, count in counts.items() if count > (other in freed))
    if distinct >= rules.distinct_reactions:
        return DistinctReactionsReached(limit=rules.distinct_reactions)
    return None


def listing_refusal(access: AccessContext) -> DomainError | None:
    """Return the refusal to list the users who reacted: only users who may list the members may."""
    refusal = policy.listing_refusal(access)
    reason = "Only members see who reacted; in a channel, only the owner and admins"
    return PermissionRefused(reason, **refusal.details) if refusal else None
