"""The stores of conversations: users' settings, conversation groups, threads of channels, blocks.

Only these modules of the package use the database. Inside a transaction every method takes its `Tx`; without one it
reads majority-committed data.
"""
