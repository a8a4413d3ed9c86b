"""What protects one client from another: rates, concurrency, bytes that wait, and shedding of load."""
