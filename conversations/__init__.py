"""A user's conversations: the conversation list, read cursors, mute, pin, drafts; and one-to-one messages.

Promises: unread is exactly `head_seq - max(read_seq, joined_seq)` and never negative. A read cursor only moves forward.
The total of a conversation group is the sum over its conversations. No post, join or leave writes anything per
recipient here. A user's group conversations *are* their memberships: only the user's settings are stored
(`ConversationSettings`), so lists take the same few queries for one conversation and for thousands. The settings of a
one-to-one conversation are created with its first message, so they are found with the others (`service.dialogues`).

Depends on `groups` (memberships and stream heads, through `MembershipReader`) and `groups.kernel`. It does not know
reactions or channels; a stream itself tells whether it is a channel's.

    page, cursor = await conversation_list.list_conversations(ada, ListFilter(only_unread=True), limit=20, cursor=None)
    await read_cursors.mark_read(ada, page[0].conversation.conversation_id)
    await conversation_groups.put(ada, "News", [page[0].conversation.conversation_id])
"""
