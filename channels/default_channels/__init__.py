"""Default channels: channels to which the application subscribes every person once, old and new.

Promises:
    Once: a person is subscribed to a default channel at most once, ever, by any number of processes, and also where the
    channel stops being a default and becomes one again. `DefaultSubscriptionStore` remembers it, in the transaction of
    the subscription.
    Final: who is banned, left, was removed, or blocks the channel is passed over. So are business accounts, and people
    at their own limit of subscriptions.
    Resumable: a sweep over the users of the deployment stores how far it is with each step. After a crash another
    process goes on.
    Cheap: without default channels nothing is read, stored or remembered. With them, a process asks once for each
    person it has not seen since it started, in the background and for many people at once; a request never waits for
    it.

    await defaults.set_default(app, channel_id)         # the sweep begins
    await defaults.list_all(app)                        # how far it is

It depends on `groups` (imports with a `Selection`) and on the guard of channels.
"""
