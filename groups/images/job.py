"""What the server asks a worker for: one line of JSON a picture."""

import json
from dataclasses import asdict, dataclass, replace

from groups.images.budget import Budget


@dataclass(frozen=True, slots=True)
class Job:
    """One picture to redraw; `edges` are the longer edges of its smaller versions, in pixels."""

    source: str
    kind: str
    target: str
    edges: dict[str, int]
    budget: Budget
    seconds: float

    def with_budget(self, budget: Budget, seconds: float) -> "Job":
        """The same picture, under another budget."""
        return replace(self, budget=budget, seconds=seconds)

    def encode(self) -> bytes:
        """The line that asks for it."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "Job":
        """The job that a line asks for."""
        fields = json.loads(line)
        return cls(**fields | {"budget": Budget(**fields["budget"])})
