"""Requests that the server sends to other software: webhooks, push, reviews of messages, pages for link previews.

Promises:
    A request to an address that a client chose reaches the public internet by https, and nothing else unless the
    operator allowed its network. The address is checked when the connection is made, after the name was looked up, so
    no name and no redirect leads around it.
    A response is bounded in bytes and in time, and is not decompressed. No redirect is followed.
    The environment is ignored: no proxy, no cookies, no credentials of a `.netrc`.
    Each use has a client of its own, so slow receivers of one use take no connection and no look-up from another.
    The reason of a failure says nothing of addresses inside.
"""
