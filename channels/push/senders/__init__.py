"""The ways to a device: Web Push for browsers, and the application's own push gateway for apps.

Promises:
    A sender answers for each delivery, and raises nothing for what a push service or a gateway does.
    A device is only called gone (`Verdict.GONE`) where its push service or the gateway said so.
    A push service that asks to wait, or does not answer, is left alone for a while; the others are not held up.
"""
