"""The rules of channels at work: the channel's own life, who subscribes and runs it, what it posts."""
