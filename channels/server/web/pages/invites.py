"""Serves the page of an invite link to visitors without an account: `/i/{code}`.

Promises:
    Every request asks whether the link is open, by the services and rules of the API, and nothing is cached: the page
    of a revoked link is gone at once. It shows what `GET /v1/invite-links/{code}` answers without a token.
    A link that is unknown or revoked gets the same page, after the same time as any other that is not there.
    Guessing codes is bounded by the limits of an address; a code has 144 random bits.
    No search engine lists the page, and no other site learns its address (`Referrer-Policy`).
    The page is in the language that the reader's browser prefers, if the app has it.
"""

from typing import Final

from aiohttp import hdrs, web

from channels.console.assets import load_assets
from channels.console.invites import invite_page, no_invite_page
from channels.console.languages import language_for
from channels.server.limits.by_address import AddressLimits
from channels.server.web.not_found_delay import NotFoundDelay
from channels.server.web.pages.static import HEADERS
from channels.server.web.request import Request
from channels.server.web.router import Parameters, Router
from groups.errors import InviteLinkEnded, InviteLinkNotFound
from groups.service.invite_links.joining import InvitedService

_CODE_CHARACTERS: Final = 64
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)


class InvitePages:
    """The pages of invite links. `public_url` is the public address of this server; None: no absolute links."""

    def __init__(
        self,
        invited: InvitedService,
        addresses: AddressLimits,
        not_found_delay: NotFoundDelay,
        *,
        public_url: str | None = None,
    ) -> None:
        self._invited = invited
        self._addresses = addresses
        self._not_found_delay = not_found_delay
        self._base = public_url.rstrip("/") if public_url else ""
        self._assets = load_assets()

    def mount(self, router: Router) -> None:
        for method in ("GET", "HEAD"):
            router.add(method, "/i/{code}", self._page)

    async def _page(self, request: Request, parameters: Parameters) -> web.Response:
        language = language_for(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
        code = parameters["code"]
        status = 200
        try:
            address = self._addresses.address_of(request)
            with await self._addresses.requests.acquire(address) as place:
                if len(code) > _CODE_CHARACTERS:
                    raise InviteLinkNotFound
                preview = await self._not_found_delay.apply(
                    self._invited.preview(None, code), place.release
                )
            body = invite_page(preview, self._assets, base=self._base, language=language)
        except InviteLinkNotFound:
            status, body = 404, no_invite_page(self._assets, has_ended=False, language=language)
        except InviteLinkEnded:
            status, body = 410, no_invite_page(self._assets, has_ended=True, language=language)
        headers = {
            **HEADERS,
            "Content-Security-Policy": _POLICY,
            "X-Robots-Tag": "noindex",
            hdrs.CACHE_CONTROL: "no-store",
            hdrs.CONTENT_LANGUAGE: language,
            hdrs.VARY: hdrs.ACCEPT_LANGUAGE,
        }
        return web.Response(
            body=body, status=status, content_type="text/html", charset="utf-8", headers=headers
        )
