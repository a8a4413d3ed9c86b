"""Buttons under posts and under a channel's one-to-one messages: pressing them.

Promises: the presses of a button equal the number of users who pressed it, under any race and for any number of users;
nobody takes a press back. A repeat counts, writes and announces nothing. The text of a `reply` is sent once by each
user. A batch of any number of presses of one message costs the same few database commands, and a page with buttons
costs no command more than one without.

The buttons are content of a message (`groups.models.Button`). Presses are counted as votes of a poll are
(`reactions.service.engine`), under the number of the button (`Button.key`), in the same tally.
"""
