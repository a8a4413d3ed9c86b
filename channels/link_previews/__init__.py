"""Previews of links: what a page says of itself, fetched by the server for the author of a post or message.

The author's app asks while they write, and sends the preview along with the post. So nothing is fetched for readers,
nothing is changed afterwards, and the author sees and may remove what everybody will see.

Promises:
    Off until the operator sets `CHANNELS_LIMIT_LINK_PREVIEWS_PER_MINUTE`: with it, users make the server send requests.
    Requests go to public addresses by https only, also after a redirect, unless the operator allowed a network
    (`channels.outbound`). They carry nothing of the user, and no cookies.
    Bounded: by rate and user, in time, in bytes, in redirects. The work for a hostile page is linear in its length.
    A picture is stored as an upload of the author, redrawn like any other, so readers ask no other host.
    Nothing is stored of what was asked: pages are remembered for some minutes, in memory.
"""
