"""The error of a command that cannot start: the problem and its cure, for the person at the terminal.

Settings, the data directory and the database all raise this one exception. `channels.cli` prints it as one readable
message without a traceback, and exits with 1.
"""


class StartupError(Exception):
    """The command cannot start.

    `problem` is one or more sentences. `cure` says what to do; None when the problem says it already.
    """

    def __init__(self, problem: str, *, cure: str | None = None) -> None:
        super().__init__(problem if cure is None else f"{problem}\n{cure}")
        self.problem = problem
        self.cure = cure
