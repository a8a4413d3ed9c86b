"""Forms: questions of a channel whose answers arrive in its inbox, and at its back end.

Promises: the limit of forms holds under any race. What is wrong in an answer is refused as one typed error, which names
the field and the reason, and nothing is sent. An answer is one message of the user to the channel, written as any other
one, so what refuses a message refuses it too, and a repeat under one `Idempotency-Key` sends it once. The message holds
labels and values as they were: a form that changes or goes changes no answer.
"""
