"""Moves channels between deployments: `channels export`, `channels import`, and imports of other programs' exports.

`lines` and `archive` are the format; `service` writes and reads it; `foreign` turns the exports of Telegram and
WhatsApp into archives of it. The commands are in `command`.
"""
