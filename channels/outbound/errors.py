"""Why a request was not answered. Its caller decides whether to send it again."""


class OutboundError(Exception):
    """No response. The text is a reason that the client who gave the address may read."""


class AddressRefused(OutboundError):
    """The address cannot be read, is neither public nor in an allowed network, or takes no https.

    Sending again does not help.
    """


class Unreachable(OutboundError):
    """No connection, no TLS, or no response in time. Sending again may help."""
