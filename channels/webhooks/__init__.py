"""Webhooks: the server sends events to addresses of the application and of channels.

Requests and signatures are those of the Standard Webhooks specification. A consumer of the event log writes down what
is to be sent, in the transaction that stores its position. Dispatchers, one in each process, send it and write down
what the receiver answered.

Promises:
    Nothing is lost: an event that an endpoint wants is sent until the receiver answers 2xx, or the endpoint is disabled
    and its owner is notified. After a crash it may be sent again, with the same `webhook-id`.
    In order: of the events of one stream, an endpoint receives each one after the one before it was accepted.
    Apart: an endpoint that fails or hangs delays no other endpoint, and no call of the API.
    Never inside: no request goes to a private address that the operator did not allow (`channels.outbound`).
    Bounded: what waits for one endpoint, how long it is tried, and how long the log of deliveries is kept.

    new = NewWebhook(url="https://hooks.example/events", event_types=("message.posted",))
    webhook, secret = await webhooks.create(ada, "@TOA#_news", new, key=None)
"""
