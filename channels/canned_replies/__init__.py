"""Canned replies: texts that all who answer a channel's inbox share, each under a name."""
