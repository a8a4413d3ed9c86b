"""The product: channels (official accounts) on group chat.

A channel is a Community group with the custom field `official_account`. Subscribing is joining, a subscriber is a
member, a post is a message. This package adds the profile of a channel, its settings, the directory, and the words of
channels. `groups.policy` decides who may do what, so `/v1/groups/...` and `/v1/channels/...` cannot disagree.

Promises: a deployment never has more channels than its limit; a change reaches every subscriber as one event; readers
never learn which admin wrote a post.

    created = await channels.create(ada, NewChannel(name="News"))
    async with channel(created.channel_id):
        await memberships.join(bob, created.channel_id)
        await messages.post(ada, created.channel_id, Content(kind=Kind.TEXT, text="Hello"))
"""
