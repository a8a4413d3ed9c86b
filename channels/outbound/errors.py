"""Why a request was not answered. Its caller decides whether to send it again."""


class OutboundError(Exception):
    """No response. The text names the reason for logs and for those who gave the address."""


class AddressRefused(OutboundError):
    """The address is inside of a network that the operator did not allow. Sending again does not help."""


class Unreachable(OutboundError):
    """No connection, no TLS, or no response in time. Sending again may help."""
