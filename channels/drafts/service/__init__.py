"""The life of a draft, and the scheduler that publishes it at its hour."""
