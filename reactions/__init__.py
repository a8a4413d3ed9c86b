"""Reactions to messages: add, remove, the tally, the users who reacted.

Promises: an emoji's count equals the number of users who hold it, under any race and for any number of users. Reacting
twice changes nothing and publishes nothing. Users can always remove their own reaction, even if the group does not
allow it any more. A batch of any number of callers on one message costs the same few database commands.

Depends on `groups` for memberships, settings and messages. It does not know conversations or channels: in a channel a
new emoji replaces the old one because its setting `reactions_per_user` is 1.

    tally = await reactions.react(bob, group_id, 1, "👍")      # counts {"👍": 1}, total 1, mine ("👍",)
    tally = await reactions.unreact(bob, group_id, 1, "👍")    # counts {}, total 0, mine ()
    tallies = await reactions.tallies(bob, stream_of(group_id), [1, 2, 3])
"""
