"""Invite links: made, changed, revoked and listed by those who manage members, and used by everybody who has one."""
