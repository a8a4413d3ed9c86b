"""Tokens of an identity provider: its public keys, and what its tokens must say."""
