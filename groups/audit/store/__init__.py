"""What the audit of group chat asks the database, and what its repairs write."""
