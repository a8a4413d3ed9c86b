"""Work of many callers that is done together: writes that share a transaction, reads that share a command.

Nobody waits for a timer: a lone caller goes at once, and the next ones gather while it is under way.
"""
