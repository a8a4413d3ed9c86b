"""What the application does against abuse: it suspends channels and restricts users. `groups.policy` reads both."""
