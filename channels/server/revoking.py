"""`channels revoke`: ends the sessions of a user from the command line, also beside a running server."""

from channels.limits import Limits
from channels.server.app import create_services
from groups.kernel.actor import Actor
from groups.kernel.ids import UserId
from groups.kernel.mongo import Database

OPERATOR = Actor(UserId("channels-revoke"), is_app_admin=True)
"""The command line acts with the rights of the application."""


async def revoke(uri: str, database: str, user_id: UserId) -> None:
    """Refuse all tokens that were issued to the user until now. Running servers follow within moments.

    Raises: StandaloneServer; Unavailable.
    """
    connected = await Database.connect(uri, database)
    try:
        await create_services(connected, Limits()).chat.revocations.revoke(OPERATOR, user_id)
    finally:
        connected.close()
