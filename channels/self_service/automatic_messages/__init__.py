"""Messages that a channel sends by rules: a greeting, answers to keywords, and one outside its opening hours.

`service` stores the rules, `delivery` follows the event log and writes the messages.
"""
