"""Emoji on a message: reacting, taking it back, the tally, the users who reacted.

What it promises: an emoji's count equals the distinct users who hold it, under any race and for any number of users.
Reacting twice changes nothing and publishes nothing. Users can take back their own reaction, whatever the settings of
the group are by then. A batch of any number of callers on one message costs the same few database commands.

What it depends on: `groups` for memberships, settings and messages. It knows neither conversations nor channels: in a
channel a new emoji replaces the old one because its setting `reactions_per_user` is 1.

    tally = await reactions.react(bob, group_id, 1, "👍")      # counts {"👍": 1}, total 1, mine ("👍",)
    tally = await reactions.unreact(bob, group_id, 1, "👍")    # counts {}, total 0, mine ()
    tallies = await reactions.tallies(bob, stream_of(group_id), [1, 2, 3])
"""
