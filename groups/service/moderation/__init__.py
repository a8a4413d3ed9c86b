"""The means of the application against abuse: it suspends channels and restricts users. `groups.policy` reads both."""
