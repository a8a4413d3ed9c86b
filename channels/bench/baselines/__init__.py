"""The baselines of the benchmark, each a program of its own: `python -m channels.bench.baselines.NAME PORT`."""
