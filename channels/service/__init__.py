"""The services of channels: their life, profiles, subscriptions, inbox rules, badges, and the checks before calls."""
