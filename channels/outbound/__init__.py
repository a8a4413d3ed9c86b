"""Requests that the server sends to addresses which clients chose: webhooks, push subscriptions.

Promises:
    A request reaches no address inside of the operator's network unless the operator allowed that network. The address
    is checked when the connection is made, after the name was resolved, so no name and no redirect leads around it.
    A response is bounded in bytes and in time, and no redirect is followed.
    The environment is ignored: no proxy, no cookies, no credentials of a `.netrc`.
"""
