"""Posts that are not published yet: drafts, and scheduled posts, which are drafts with a `publish_at`.

Both are one concept in one collection: setting or clearing `publish_at` turns one into the other. (A `POST …/posts`
with a `publish_at` would return two kinds of responses from one endpoint.)

Promises:
    Once: publishing is one transaction that removes the draft and posts it, in the queue of all posts of the channel.
    Any other attempt, in any process, finds no draft. A crash before the commit changes nothing.
    In time: each process sleeps until the next draft is due, and the event bus announces earlier ones. Drafts
    that became due while no server ran are published at the next start, in order.
    Rights are checked on publishing: if the author may not post any more, the draft stays with the reason of failure.
    The uploads of a draft count as used until it is deleted, or its post is.

    draft = await drafts.create(ada, "@TOA#_news", NewDraft(content), publish_at=tomorrow, key=None)
    await drafts.publish(ada, "@TOA#_news", draft.draft_id)  # or leave it to the scheduler
"""
