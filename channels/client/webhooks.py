"""Checking that a webhook is from the server: Standard Webhooks, by the library of the specification.

async def receive(request: web.Request) -> web.Response:
    event = verify_webhook(SECRET, request.headers, await request.read())
"""

import json
from collections.abc import Mapping, Sequence

from standardwebhooks import Webhook, WebhookVerificationError

from channels.client.errors import BadSignature
from channels.client.events import Event, parse_event


def verify_webhook(secret: str | Sequence[str], headers: Mapping[str, str], body: bytes) -> Event:
    """The event of a webhook, when one of the secrets signed it within the last five minutes.

    Give the old secret and the new one while you rotate. `body` is the bytes as they came: another spelling of the same
    JSON has another signature. The `webhook-id` header is the same when a delivery is repeated; `event_id` too. Raises:
    BadSignature; ValueError, if a secret is not one.
    """
    secrets = [secret] if isinstance(secret, str) else list(secret)
    keys = [Webhook(one) for one in secrets]
    given = {name.lower(): value for name, value in headers.items()}
    for key in keys:
        try:
            key.verify(body, given, json_parse=False)
        # Besides its own error the library raises what a malformed header does to its parsing.
        except (WebhookVerificationError, ValueError):
            continue
        try:
            payload = json.loads(body)
            if isinstance(payload, dict):
                return parse_event(payload)
        except ValueError:
            pass
        raise BadSignature("The body is signed, and is no event")
    raise BadSignature("No signature of these secrets, or older than five minutes")
