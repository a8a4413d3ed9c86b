"""Makes the links to channels and posts that their readers pass on."""

import asyncio
import html
from dataclasses import dataclass

from channels.service.channels import ChannelService
from channels.service.guard import ChannelGuard
from channels.share_links.addresses import app_path, public_path
from channels.share_links.models import ShareLink, ShareOptions
from channels.share_links.qr import qr_svg
from groups.errors import MessageNotFound
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId
from groups.models import Visibility
from groups.service.access.guard import AccessGuard


@dataclass(frozen=True, kw_only=True, slots=True)
class ShareService:
    """Reads what the caller sees anyway; it stores nothing."""

    channels: ChannelService
    channel: ChannelGuard
    guard: AccessGuard
    options: ShareOptions

    async def get(self, actor: Actor, channel_id: GroupId, seq: int | None) -> ShareLink:
        """The link to a channel, or to its post `seq`. Raises: ChannelNotFound; PostNotFound."""
        channel = await self.channels.get(actor, channel_id)
        if seq is not None:
            async with self.channel(channel_id):
                _, message = await self.guard.find_message(actor, channel_id, seq)
                if message.recalled_at is not None:
                    raise MessageNotFound
        group = channel.access.group
        is_public = self.options.has_public_pages and group.visibility is Visibility.PUBLIC
        path = public_path(channel_id, seq) if is_public else app_path(channel_id, seq)
        url = self.options.address + path
        return ShareLink(
            url=url,
            is_public=is_public,
            title=group.name,
            qr_svg=await asyncio.to_thread(qr_svg, url),
            embed_html=self._embed_html(channel_id) if is_public else None,
        )

    def _embed_html(self, channel_id: GroupId) -> str:
        address, channel = html.escape(self.options.address), html.escape(channel_id)
        return (
            f'<script type="module" src="{address}/sdk/channel-feed.js"></script>\n'
            f'<channel-feed channel="{channel}"></channel-feed>'
        )
