"""Search in the messages that a user may read: in one conversation, or in all of them.

The terms of a message are stored in its document (`groups.kernel.text.search`), in the transaction that writes it. A
search finds candidates by terms, newest first, and then compares their texts as they are now with the query.

Promises:
    Nothing is found that its reader could not read: access and history are asked again, in the command that reads what
        is shown.
    At once: a post, an edit and a deletion count for every search that begins after their answer.
    Bounded: whatever is asked, a call sends some 50 commands at most and reads 400 messages. What it could not look at
        is behind the cursor, or it says that it left it out (`is_complete`).
"""
