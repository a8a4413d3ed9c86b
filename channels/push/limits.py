"""The limits of push notifications. A deployment may set each field of `PushLimits` (`CHANNELS_LIMIT_<NAME>`)."""

from typing import Annotated, Final

from groups.kernel.limits import About, LimitModel, OrUnlimited, Positive, Section, Source

DEVICES_PER_USER: Final = 20
PUSHES_PER_SECOND: Final = 500
CONCURRENT_PUSHES: Final = 100

# Bounds that no deployment sets, in characters.
ENDPOINT_LENGTH: Final = 2_048
"""Of a Web Push endpoint. Those of the browsers' push services have 150 to 600."""
PUSHKEY_LENGTH: Final = 1_024
"""Of a pushkey. Tokens of Apple and Google have 64 to 300, and may grow."""
APP_ID_LENGTH: Final = 64  # as in Matrix
LOCALE_LENGTH: Final = 35  # BCP 47 (RFC 5646, 4.4.1) asks for room for so many
DEVICE_NAME_LENGTH: Final = 100
P256DH_BYTES: Final = 65
"""Of an uncompressed point of P-256 (RFC 8291)."""
AUTH_BYTES: Final = 16  # of the authentication secret (RFC 8291)


class PushLimits(LimitModel):
    """The limits of push notifications that a deployment may set."""

    devices_per_user: Annotated[
        Positive,
        About(
            Section.PUSH,
            Source.OURS,
            "The device that was confirmed the longest time ago is dropped.",
        ),
    ] = DEVICES_PER_USER
    """Devices of one user: phones, tablets, and each browser that notifies."""
    pushes_per_second: Annotated[
        OrUnlimited, About(Section.PUSH, Source.OURS, "Further ones are sent later.")
    ] = PUSHES_PER_SECOND
    """Notifications that one process sends a second."""
    concurrent_pushes: Annotated[
        Positive, About(Section.PUSH, Source.OURS, "Further ones wait.")
    ] = CONCURRENT_PUSHES
    """Web Push requests of one process under way at once; to one push service, half of them."""
