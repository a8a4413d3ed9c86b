"""One user's view of his groups: conversation list, read cursor, unread, mute, pin, draft; and one-to-one messages.

What it promises: unread is exactly `head_seq - max(read_seq, joined_seq)` and never negative; a read cursor only moves
forward; the total of a conversation group is the sum over its conversations; no post, join or leave writes anything per
recipient here. A user's conversations *are* his memberships: only their own settings are stored
(`ConversationSettings`), so the lists cost the same few queries for one conversation and for thousands. A one-to-one
conversation is the other way round: its settings are made with its first message, so it is found with the rest
(`service.dialogues`).

What it depends on: `groups` (memberships and stream heads, through `groups.service.MembershipReader`) and
`groups.kernel`. It does not know reactions or channels; that a stream is a channel's is told by the stream itself.

    page, cursor = await inbox.list_conversations(ada, ListFilter(only_unread=True), limit=20, cursor=None)
    await cursors.read(ada, page[0].conversation.conversation_id)
    await conversation_groups.put(ada, "News", [page[0].conversation.conversation_id])
"""
