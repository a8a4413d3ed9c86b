"""Clicks on the links of posts, counted as views are: each user once for each link, without a list of who.

A channel turns it on (`count_clicks`), and readers are told. The clicks of a link are a HyperLogLog
(`channels.analytics.hyperloglog`) of at most about 4,200 bytes, and the channel's days count them beside views.

Promises:
    Off by default: without the setting nothing is counted, and a post, a page and a view cost what they did.
    Only links of the post itself are counted, and led to: `/l/…` is no open redirect.
    Bounded: at most `links.MOST_LINKS` links of a post are counted.

    await clicks.report(bob, channel_id, 1, "https://example.org/")
    await clicks.of_post(ada, channel_id, 1)        # [LinkClicks(url="https://example.org/", clicks=1)]
"""
