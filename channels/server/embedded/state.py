"""The state of the embedded database in the data directory, by which other commands find it.

The file `mongod.json` holds the path of the socket of the last run and, while it runs, its process id and connection
string. Only the server that holds the directory's lock writes it.
"""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from channels.server.data_dir import write_atomically
from channels.server.embedded.process import is_mongod_of


def db_dir_of(data_dir: Path) -> Path:
    """The directory of MongoDB's files. It is absolute, since running processes are recognised by it."""
    return data_dir.resolve() / "db"


class MongodState(BaseModel):
    """The file's content; `pid` and `uri` are None while no database runs."""

    model_config = ConfigDict(frozen=True)

    socket_path: Path | None = None
    pid: int | None = None
    uri: str | None = None

    @classmethod
    def read(cls, data_dir: Path) -> Self:
        """The file's content. A missing or damaged file counts as empty, since all of it can be found again."""
        try:
            return cls.model_validate_json((data_dir / "mongod.json").read_bytes())
        except (OSError, ValidationError):
            return cls()

    def write(self, data_dir: Path) -> None:
        """Replace the file."""
        write_atomically(data_dir / "mongod.json", self.model_dump_json())


def running_uri(data_dir: Path) -> str | None:
    """The connection string of the database that runs on the directory now, or None."""
    state = MongodState.read(data_dir)
    if state.pid is None or not is_mongod_of(state.pid, db_dir_of(data_dir)):
        return None
    return state.uri
