"""Polls: voting, closing, who voted.

Promises: the votes of an option equal the number of users who chose it, and `voters` the number of users who chose any,
under any race and for any number of users. Voting the same again changes nothing and publishes nothing. Nobody votes in
a poll that is closed, or two options of one where only one is allowed. A batch of any number of voters on one poll
costs the same few database commands. Nobody learns who voted in a channel, not even its owner.

The poll itself is content of a message (`groups.models.Poll`); votes are counted as reactions are
(`reactions.service.engine`), in the same tally, so that a page that shows reactions shows votes at no further query.

    voted = await polls.vote(bob, group_id, 1, {0})     # voted.tally.votes {0: 1}, voters 1, my_votes (0,)
    voted = await polls.vote(bob, group_id, 1, set())   # takes it back
    await polls.close_poll(ada, group_id, 1)
"""
