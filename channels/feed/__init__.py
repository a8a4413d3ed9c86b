"""The feed: a back end reads all events of a deployment, or of a channel, in order, and misses none.

It reads the event log (`groups.kernel.event_log`), and remembers nothing of its readers: each cursor holds a position.
A reader asks page by page, waits for the next event (long polling), or follows a stream of server-sent events.

It is beside the webhooks, which remember how far each endpoint has come, and call.

    page = await feed.read(actor, query)         # `GET /v1/events?after=start`
    page = await feed.read(actor, query)         # again with `after` = `page.cursor`
"""
