"""The refusal to start: what is wrong and what cures it, for the person at the terminal.

Everything that can keep a command from starting (a setting, the data directory, the database) is told by this one
exception. `channels.cli` prints it as one readable message and exits with 1; no traceback, since nothing is broken
but the circumstances.
"""


class StartupError(Exception):
    """The command cannot start.

    `problem`: one or more sentences for people. `cure`: what to do about it, or None where the problem says it already.
    """

    def __init__(self, problem: str, *, cure: str | None = None) -> None:
        super().__init__(problem if cure is None else f"{problem}\n{cure}")
        self.problem = problem
        self.cure = cure
