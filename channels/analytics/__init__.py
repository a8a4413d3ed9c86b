"""Reach without a list of names: how many saw a post, and how a channel fares from day to day.

A post's views are counted by a sketch (`sketch`) that knows nobody. A channel's days (`models.Day`) are counted in the
transaction of each batch that changes something, by hooks of the packages below; nothing here is asked for them.

It stands in `channels` and not beside the message streams: only channels show views, a chat group's members being few
and known to each other, and only a channel has insights. What groups know of it is one number on each message, written
there because whoever reads a page of posts has read it then.

What it depends on: `groups` for who may read and which posts there are; `reactions` and `conversations` through hooks.

    shown = await views.report(bob, channel_id, [1, 2, 3])       # {1: 18, 2: 17, 3: 3}; again, the same
    insights = await insights.get(ada, channel_id, date(2026, 1, 1), date(2026, 1, 31))
"""
