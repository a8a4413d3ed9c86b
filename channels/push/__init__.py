"""Push notifications: the devices of users, and what is sent to them.

A device is a place that rings while no socket is open: a browser with a Web Push subscription, or an app on a phone,
which the application's own push gateway reaches by a `pushkey`.

Promises:
    Mine alone: a subscription or pushkey belongs to one device at a time. Who registers it takes it away from the
        device that had it, in the same transaction, so a phone that changed hands rings for its new user only.
    Bounded: a user has `devices_per_user` devices at most; one more takes the place of the one that was confirmed the
        longest time ago.
    Gone with the tokens: revoking a user's tokens deletes the user's devices in the same transaction, and a
        registration that is under way is refused. A token that expires deletes none.

    device, _ = await devices.register(ada, "phone", Registration(Gateway("a1b2"), app_id="org.example.app"))
"""
