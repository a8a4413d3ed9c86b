"""The rules of reactions at work; each method's first argument is the actor."""

from reactions.service.ledger import Ledger, canonical, with_mine
from reactions.service.reactions import ReactionService

__all__ = ["Ledger", "ReactionService", "canonical", "with_mine"]
