"""What the audit of conversations asks the database, and what its repairs write."""
