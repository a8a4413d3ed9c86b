"""Group chat: groups of every type, their members and roles, and the message stream of each.

What it promises: a group never holds more members than its limit; the messages of a stream have seq 1, 2, 3 ... without
hole or duplicate; every act is decided by `policy`, whatever route asked for it.

What it depends on: `groups.kernel` alone. It does not know conversations, reactions or channels: whoever needs to act
in the same transaction hands in a hook (`groups.service.hooks`), whoever needs to know listens to `events`.

    group = await founding.create(ada, NewGroup(type=GroupType.COMMUNITY, name="Tea"))
    await membership.join(bob, group.group_id)
    await messages.post(bob, group.group_id, Content(kind=Kind.TEXT, text="hi"), key=None)
"""
