"""What happens to devices, and how notifications reach them."""
