"""The event log: every committed event with a position, for consumers that must not miss any.

The outbox is the log. The bus (`groups.kernel.event_bus`) passes an event to whoever is there when it is committed. The
log is for those who come later, or who must see each event exactly once whatever crashes: webhooks, push, the feed.

Promises:
    In order: whoever reads the log meets the events of one stream, group or user in the order of their commits.
    Complete: an event has a position within moments of its commit, and keeps it for the retention time. It expires only
        after it was given one, however long no process ran.
    Dense: positions are 1, 2, 3, …; a hole means that events expired before somebody read them, and readers say so.
    Exactly once: a consumer's effects and its position are committed in one transaction.

The log holds what processes of this version or a newer one commit.
"""
