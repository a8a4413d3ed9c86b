"""The addresses of invite links, for the answers of the API."""

import asyncio
from functools import partial

from channels.share_links.addresses import invite_path
from channels.share_links.models import ShareOptions
from channels.share_links.qr import qr_svg
from groups.routes.responses.invite_links import LinkAddresses


def invite_addresses(options: ShareOptions) -> LinkAddresses:
    """Makes addresses that begin as other links of the deployment do."""

    def url_of(code: str) -> str:
        return options.address + invite_path(code)

    return LinkAddresses(url_of=url_of, qr_svg=partial(asyncio.to_thread, qr_svg))
