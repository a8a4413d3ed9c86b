"""One feed of the posts of all channels to which a user subscribes, merged by time, newest first.

Nothing is stored for it: a page is read from the channels' own streams (`groups.service.messages.many_streams`).

Promises:
    Bounded: a page costs the same five commands for one channel and for thousands, as long as the channels that posted
        since the page fit into one command (200); one more for each 200 further ones.
    Stable: each post comes once, however many are written meanwhile, and whatever is edited or deleted.
    As in the channels: a post shows what it shows in its channel's list, and who may not read it there does not see it.
"""
