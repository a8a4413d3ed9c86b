"""Emoji on a message: reacting, taking it back, the tally, who reacted.

What it promises: an emoji's count equals the distinct users who hold it, under any race and however many they are;
reacting twice changes nothing and announces nothing; one's own reaction can be taken back whatever the group's
settings became. A batch of any number of callers on one message costs the same few database commands.

What it depends on: `groups` for who is a member, what its settings allow, and which messages there are. It knows
neither conversations nor channels: that a new emoji replaces the old one there is the setting `reactions_per_user` 1.

    tally = await reactions.react(bob, group_id, 1, "👍")      # counts {"👍": 1}, total 1, mine ("👍",)
    tally = await reactions.unreact(bob, group_id, 1, "👍")    # counts {}, total 0, mine ()
    tallies = await reactions.tallies(bob, stream_of(group_id), [1, 2, 3])
"""
