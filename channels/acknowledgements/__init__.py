"""Important posts: a post, or a message of a chat group, asks its readers to acknowledge it.

`service` counts who did, with the engine of reactions (`reactions.service.engine`); `overview` tells the staff who did
and who did not, and reminds those once. `audience` finds, for sockets and notifications, who is not to be reminded.
"""
