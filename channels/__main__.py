"""`python -m channels`: the same as the command `channels`."""

from channels.cli import main

main()
