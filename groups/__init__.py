"""Group chat: groups of every type, their members and roles, and the message stream of each group.

Promises: a group never holds more members than its limit; the messages of a stream have seq 1, 2, 3 ... without gap or
duplicate; `policy` decides every act, on every route.

It depends on `groups.kernel` alone, and does not know conversations, reactions or channels. A package that acts in the
same transaction passes a hook (`groups.service.hooks`); a package that reacts afterwards listens to `events`.

    group = await creation.create(ada, NewGroup(type=GroupType.COMMUNITY, name="Tea"))
    await membership.join(bob, group.group_id)
    await messages.post(bob, group.group_id, Content(kind=Kind.TEXT, text="hi"), key=None)
"""
