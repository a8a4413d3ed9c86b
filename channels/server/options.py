"""What an operator chooses about the services of a deployment, beside the limits. `Settings` reads it."""

from dataclasses import dataclass
from pathlib import Path

from channels.before_post.models import BeforePostOptions
from channels.outbound.addresses import Network
from channels.policy import CreatePolicy
from channels.push.options import NOTHING_DELIVERED, PushOptions
from channels.share_links.models import LOCAL_LINKS, ShareOptions
from channels.user_data.policy import USERS_EXPORT_ONLY, UserDataOptions
from groups.kernel.database_options import EVENT_RETENTION_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOptions:
    """The options of `create_services`."""

    create_policy: CreatePolicy = "anyone"
    """Who may create a channel."""
    disks: tuple[Path, ...] = ()
    """Paths whose disks hold the database: uploads are refused before they fill one."""
    before_post: BeforePostOptions | None = None
    """The address that reviews messages before they are stored; None: there is none."""
    event_retention_seconds: int = EVENT_RETENTION_SECONDS
    """How long an event stays in the log."""
    webhook_allowed_networks: tuple[Network, ...] = ()
    """Networks inside to which webhooks and push subscriptions may lead."""
    link_preview_networks: tuple[Network, ...] = ()
    """Networks inside whose pages link previews may show."""
    push: PushOptions = NOTHING_DELIVERED
    """How push notifications are delivered."""
    user_data: UserDataOptions = USERS_EXPORT_ONLY
    """Whether users may export and delete themselves."""
    share: ShareOptions = LOCAL_LINKS
    """How links to channels and posts begin."""
