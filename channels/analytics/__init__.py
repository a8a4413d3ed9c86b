"""Analytics without a list of names: how many users saw a post, and a channel's counts for each day.

The views of a post are counted by a HyperLogLog (`hyperloglog`), which keeps no user ids. A channel's days
(`models.Day`) are counted by hooks of the packages below. The transactions of the batches hold the counts, and the
background adds them up (`service.days`).

It is part of `channels` and not of the message streams because only channels show views and insights; the members of a
chat group are few and know each other. Groups store one number on each message, so that reading posts needs no further
query for their views.

    counts = await views.report(bob, channel_id, [1, 2, 3])      # {1: 18, 2: 17, 3: 3}; repeating it returns the same
    insights = await insights.get(ada, channel_id, date(2026, 1, 1), date(2026, 1, 31))
"""
