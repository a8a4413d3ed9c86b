"""The delivery report of a post: whom it could reach, and whom it did.

Promises:
    Free for posts: nothing is added to what a post does, but the number of subscribers, which it stores with itself.
        Everything else is counted behind it, by whoever delivers.
    `subscribers` is exact: the members of the channel in the transaction of the post, its author among them.
    `pushed`, `rejected` and `failed` are exact, but for a process that is killed while it sends
        (`channels.push.delivery`).
    `sockets` is a close estimate: each process counts the sockets to which it handed the post, and adds the number
        within seconds. A process that is killed loses the numbers of its last seconds.
    `views` is what the post shows.
"""
