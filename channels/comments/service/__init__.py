"""What calls on comments do."""
