"""Renders the page of an invite link, which anyone who has the link may open without signing in.

Pure functions from models to HTML. The template escapes all text.
"""

from dataclasses import dataclass

from channels.console.assets import Assets
from channels.console.languages import page_texts
from channels.console.shell import not_found_page, templates
from channels.share_links.addresses import invite_app_path, invite_path
from groups.models import media_in
from groups.service.invite_links.joining import InvitePreview


@dataclass(frozen=True, slots=True)
class ShownInvite:
    """An invite link as its page shows it."""

    name: str
    introduction: str
    member_count: int
    is_channel: bool
    verified: bool
    approval: bool
    picture: str | None
    """The path of its picture. None for a picture on another host, which could track visitors."""
    path: str
    """The path of its page."""
    app_path: str
    """The path at which a user joins."""
    base: str
    """The public origin of this server; empty if it is not configured."""

    @property
    def greeting(self) -> str:
        """The key of the text that says to what the link leads."""
        return "invite.channel" if self.is_channel else "invite.group"


def invite_page(preview: InvitePreview, assets: Assets, *, base: str, language: str) -> bytes:
    """The page as HTML, in a language of the app."""
    group, code = preview.group, preview.link.code
    media_id = media_in(group.face_url)
    shown = ShownInvite(
        name=group.name,
        introduction=group.introduction,
        member_count=group.member_count,
        is_channel=group.is_channel,
        verified=group.verified,
        approval=preview.link.approval,
        picture=f"/v1/media/{media_id}?size=thumb" if media_id else None,
        path=invite_path(code),
        app_path=invite_app_path(code),
        base=base,
    )
    page = templates().get_template("invite.html")
    return page.render(shown=shown, address=assets.address, texts=page_texts(language)).encode()


def no_invite_page(assets: Assets, *, has_ended: bool, language: str) -> bytes:
    """The page for a code without a link, or of a link that has ended."""
    return not_found_page(assets, "ended" if has_ended else "invite", language)
