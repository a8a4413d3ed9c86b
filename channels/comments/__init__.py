"""Comments under the posts of channels.

The comments on a post are a stream of their own, by the engine of all streams (`groups.service.messages.stream`). The
post counts them, so a page of posts shows the counts without another query. They are in no conversation: they make
nothing unread, and neither lists, sync nor search know them.
"""
