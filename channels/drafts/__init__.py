"""Posts that are not out yet: a draft waits for somebody, a scheduled one for its hour.

One concept and one collection: a draft with a `publish_at` is scheduled, and setting or clearing it makes the one the
other. (An `POST …/posts` with a `publish_at` would answer two kinds of thing from one call.)

What it promises:
    Once: publishing is one transaction that takes the draft out of its place and posts it, in the lane of all posts of
    the channel. Whoever else tries, in whichever process, finds nothing to take; who dies before the commit leaves all
    as it was.
    In time: each process sleeps until the next one is due, and hears of earlier ones through the bus; what became due
    while no server ran is published at the next start, in order.
    Rights count when it is published: an author who may not post any more leaves a draft that says why it failed.
    Its uploads count as used, from when it is kept until its post is recalled or it is thrown away.

What it depends on: `groups.service` (`DraftContent`, `MessageService.post_loaded`), the outbox.

    draft = await drafts.create(ada, "@TOA#_news", NewDraft(content), publish_at=tomorrow, key=None)
    await drafts.publish(ada, "@TOA#_news", draft.draft_id)  # or leave it to the scheduler
"""
