"""What the product is measured against, each a program of its own: `python -m channels.bench.baselines.NAME PORT`."""
