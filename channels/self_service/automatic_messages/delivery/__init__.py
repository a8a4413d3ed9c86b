"""Sends automatic messages: a consumer of the event log notes what is to be sent, and a worker sends it."""
