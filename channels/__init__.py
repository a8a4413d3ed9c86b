"""The product: channels (official accounts) on group chat.

A channel is a Community group that carries the custom field `official_account`; subscribing is joining, a
subscriber is a member, a post is a message. This package adds what a plain group has not: the profile of the
founding document, settings, the directory, and the words; who may do what stays decided in `groups.policy`, so
`/v1/groups/...` and `/v1/channels/...` cannot disagree.

What it promises: at most 1,000 channels a deployment, exactly; a change reaches every subscriber as one event; readers
never learn which admin wrote a post.

What it depends on: `groups`, `conversations`, `reactions`. Only `channels.server` knows all of them at once.

    channel = await channels.create(ada, NewChannel(name="News"), key=None)
    await channels.subscribe(bob, channel.channel_id)
    await posts.publish(ada, channel.channel_id, Content(kind=Kind.TEXT, text="Hello"), key=None)
"""
