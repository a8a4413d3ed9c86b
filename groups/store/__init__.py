"""Where group chat is stored: groups, members, restrictions, join requests, users, streams, messages.

The only rooms of this package that know the database. Methods are verbs of storage; no rule, no event. Inside a
transaction every method takes its `Tx`; without one it reads what is majority-committed.
"""

from groups.store.admissions import AdmissionStore
from groups.store.groups import GroupStore
from groups.store.members import MemberStore
from groups.store.messages import MessageStore
from groups.store.users import UserStore

INDEXES = (
    *GroupStore.INDEXES,
    *MemberStore.INDEXES,
    *MessageStore.INDEXES,
    *UserStore.INDEXES,
)

__all__ = [
    "INDEXES",
    "AdmissionStore",
    "GroupStore",
    "MemberStore",
    "MessageStore",
    "UserStore",
]
