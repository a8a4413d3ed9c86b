"""Protects clients from each other: rates, concurrency, bytes that wait, and shedding of load."""
