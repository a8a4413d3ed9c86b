"""Broadcasts: one message of a channel to all of a segment of its subscribers, each in their own thread.

A broadcast is a job that any process works on, in short transactions: each sends to some users and stores how far the
broadcast is. Users may opt out of a channel's broadcasts, which nobody else can undo.
"""
