"""Delivery: who gets a notification of a message, and when.

A message is never held up by its notifications. A consumer of the event log notes each message that is to be announced
(`service.consumer`), workers of all processes share these jobs (`service.worker`), and each sends page by page to those
who have a device (`service.audience`).

Promises:
    Once: a device gets a notification of a message once. The exception is a process that is killed while it sends: the
        devices of its last step (`STEP` at most, and the rest of one user's) may get theirs again, with the same id and
        topic, so that it replaces the first. A process that is stopped, not killed, repeats none.
    Newest only: a newer message of the same conversation replaces an older one for all who were not reached yet.
    Fair: jobs take turns, a page each. A message to one user does not wait for a channel of a million.
    Asked again: memberships, mutes, read cursors and open sockets are read right before a page is sent, so whoever
        left, muted, read or came online meanwhile is not disturbed. A message that was deleted is not announced.
    Bounded: so many pushes a second (`Pace`), so many jobs at once, retries that end.
"""
