"""The rules of reactions at work; each method's first argument is the actor."""

from reactions.service.reactions import ReactionService

__all__ = ["ReactionService"]
