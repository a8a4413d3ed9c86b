"""The rules of the architecture, checked on the source: imports, the driver, HTTP, the environment, locks.

`complaints_of` checks the source of one module. The tests run it on every module of the packages, and on made-up ones
that break each rule.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("channels", "conversations", "groups", "reactions")

ALLOWED_AT_THE_TOP: Final = {"pyproject.toml", "README.md", "tests", *PACKAGES}
MADE_BY_TOOLS: Final = ("build", "dist", "__pycache__")  # with *.egg-info; none is committed

MAY_IMPORT: Final = {
    "groups.kernel": {"groups.kernel"},
    "groups": {"groups.kernel", "groups"},
    "conversations": {"groups.kernel", "groups", "conversations"},
    "reactions": {"groups.kernel", "groups", "reactions"},
    "channels": {"groups.kernel", "groups", "conversations", "reactions", "channels"},
    "channels.server": {
        *("groups.kernel", "groups", "conversations", "reactions", "channels", "channels.server"),
    },
    # Others import it into their programs, so it loads nothing of the server.
    "channels.client": {"channels.client"},
    # A tool that writes tables of the guides: above the server, like the command line.
    "channels.docs_site.generated": {
        *("groups.kernel", "groups", "conversations", "reactions", "channels", "channels.server"),
        *("channels.docs_site.generated", "channels.client"),
    },
}
"""The layers that each layer may import."""

ENTRY_POINTS: Final = {"channels.cli", "channels.__main__"}
"""They start the server, so they may import it; no other module may."""

ROOM_RANK: Final = {
    "limits": 0,
    "models": 0,
    "errors": 0,
    "policy": 1,
    "events": 1,
    "store": 2,
    "service": 3,
    "routes": 4,
}
"""The rooms of a package. A room may import rooms of the same or a lower rank."""

PART_OF_ANOTHER: Final = {"pydantic_core"}
"""Libraries that a declared library pins and documents as part of its interface."""

DRIVER: Final = {"motor", "pymongo", "bson", "gridfs"}
DRIVER_HOME: Final = "groups.kernel.mongo"
HTTP: Final = {"aiohttp"}
HTTP_HOME: Final = "channels.server"
OUTBOUND: Final = "channels.outbound"
"""The one client by which the server sends requests to other software."""
CLIENT: Final = "channels.client"
BASELINES: Final = "channels.bench.baselines"
"""Bare aiohttp programs with which the server is compared."""
ENVIRONMENT_HOME: Final = "channels.server.settings"
ENVIRONMENT: Final = {"environ", "environb", "getenv", "getenvb"}


def is_in(module: str, home: str) -> bool:
    return module == home or module.startswith(home + ".")


def layer_of(module: str) -> str | None:
    """The innermost layer of the module; None if it is not ours."""
    holders = [layer for layer in MAY_IMPORT if is_in(module, layer)]
    return max(holders, key=len, default=None)


def room_of(module: str) -> tuple[str, str | None]:
    """The package of a module, and its room there; the kernel and the server have no rooms."""
    for home in (DRIVER_HOME, "groups.kernel", HTTP_HOME):
        if is_in(module, home):
            return home, None
    parts = module.split(".")
    for place, part in enumerate(parts):
        if place > 0 and part in ROOM_RANK:
            return ".".join(parts[:place]), part
    return parts[0], None


def imports_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The line and the full name of every import, also inside functions and for types only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def complaints_of(module: str, source: str) -> list[str]:
    """One sentence for each broken rule in this module."""
    tree = ast.parse(source)
    found: list[str] = []
    for line, target in imports_of(tree):
        found += [f"{module}:{line} {complaint}" for complaint in _of_import(module, target)]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            found.append(f"{module}:{node.lineno} imports relatively")
        if _reads_environment(node) and module != ENVIRONMENT_HOME:
            found.append(f"{module}:{getattr(node, 'lineno', 0)} reads the environment")
    return found


def _of_import(module: str, target: str) -> Iterator[str]:
    _, room = room_of(module)
    root = target.split(".")[0]
    if root in DRIVER and room != "store" and not is_in(module, DRIVER_HOME):
        yield f"imports the driver ({target}) outside a store"
    if (
        root in HTTP
        and room != "routes"
        and not any(is_in(module, home) for home in (HTTP_HOME, OUTBOUND, CLIENT, BASELINES))
    ):
        yield f"imports HTTP ({target}) outside routes, server and client"
    own_layer, layer = layer_of(module), layer_of(target)
    if layer is None or own_layer is None:
        return
    if layer not in MAY_IMPORT[own_layer] and not (
        layer == "channels.server" and module in ENTRY_POINTS
    ):
        yield f"imports {target} against the arrows ({own_layer} -> {layer})"
    yield from _of_rooms(module, target)


def _of_rooms(module: str, target: str) -> Iterator[str]:
    package, room = room_of(module)
    target_package, target_room = room_of(target)
    if target_room is None:
        return
    # A module beside a sub-package's store belongs to that sub-package, whatever its name.
    is_beside = "." in target_package and is_in(module, target_package)
    if target_room == "store" and package != target_package and not is_beside:
        yield f"imports {target}, another package's store"
    if room is None:
        return
    upward = ROOM_RANK[target_room] > ROOM_RANK[room]
    # All rooms may import the pure rooms of another package; store, service and routes keep their order everywhere.
    if upward and (package == target_package or ROOM_RANK[target_room] >= ROOM_RANK["store"]):
        yield f"imports {target}, a higher room ({room} -> {target_room})"


def _reads_environment(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="os"), attr=name):
            return name in ENVIRONMENT
        case ast.ImportFrom(module="os", names=names):
            return any(alias.name in ENVIRONMENT for alias in names)
    return False


def modules() -> dict[str, Path]:
    """Every module of the four packages, by name."""
    found: dict[str, Path] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def test_every_module_keeps_the_rules() -> None:
    found = [
        complaint
        for name, path in modules().items()
        for complaint in complaints_of(name, path.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)


def test_there_are_modules_to_check() -> None:
    assert {"groups.kernel.errors", "channels.cli", "channels.server.settings"} <= set(modules())


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("groups.kernel.ids", "from groups.models import Group", "against the arrows"),
        ("groups.service", "import conversations.service", "against the arrows"),
        ("groups.service", "from channels import models", "against the arrows"),
        ("conversations.service", "from reactions.service import react", "against the arrows"),
        ("reactions.service", "from conversations import models", "against the arrows"),
        ("reactions.models", "from channels.models import Channel", "against the arrows"),
        ("channels.service", "from channels.server.realtime.hub import Hub", "against the arrows"),
        ("channels", "from channels import server", "against the arrows"),
        ("channels.bench.run", "import channels.server.run", "against the arrows"),
        ("channels.bench.load", "import aiohttp", "HTTP"),
        ("channels.cli", "import channels.docs_site.generated.pages", "against the arrows"),
        ("channels.server.app", "import channels.docs_site.generated", "against the arrows"),
        ("channels.client.models", "from channels.models import Channel", "against the arrows"),
        ("channels.client.tokens", "import groups.kernel.ids", "against the arrows"),
        ("groups.kernel.web", "import channels.server", "against the arrows"),
        (
            "channels.service",
            "def late():\n    from channels.server.realtime.hub import Hub",
            "against the arrows",
        ),
        (
            "groups.models",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import channels.models",
            "against the arrows",
        ),
        ("channels.service", "from groups.store import GroupStore", "another package's store"),
        ("channels.service.guard", "from groups import store", "another package's store"),
        ("channels.server.app", "import groups.store.members", "another package's store"),
        ("channels.store", "from channels.webhooks.store import Hooks", "another package's store"),
        ("groups.store", "from groups.service import join", "a higher room"),
        ("groups.store.members", "from groups.routes import routes", "a higher room"),
        ("groups.service.members", "from groups.routes import routes", "a higher room"),
        ("channels.service", "from groups.routes import MemberView", "a higher room"),
        ("groups.models", "from groups.store import GroupStore", "a higher room"),
        ("groups.models", "from groups import service", "a higher room"),
        ("groups.models", "import groups.routes", "a higher room"),
        ("groups.models", "from groups.policy import may_post", "a higher room"),
        ("groups.policy", "from groups.store import GroupStore", "a higher room"),
        ("groups.limits", "from groups.service import join", "a higher room"),
        ("groups.service", "from motor.motor_asyncio import AsyncIOMotorClient", "driver"),
        ("groups.kernel.batching.group_commit", "import pymongo.errors", "driver"),
        ("channels.server.app", "import motor", "driver"),
        ("channels.routes", "from bson import ObjectId", "driver"),
        ("groups.models", "import gridfs", "driver"),
        ("groups.service", "from aiohttp import web", "HTTP"),
        ("groups.kernel.endpoint", "import aiohttp", "HTTP"),
        ("channels.models", "def f():\n    import aiohttp.web", "HTTP"),
        ("groups.service", "import os\nos.environ['A']", "environment"),
        ("groups.service", "import os\nos.getenv('A')", "environment"),
        ("channels.server.app", "from os import environ", "environment"),
        ("groups.service", "from . import models", "relatively"),
        ("groups.service.members", "from ..models import Group", "relatively"),
    ],
)
def test_an_offender_is_caught(module: str, source: str, complaint: str) -> None:
    found = complaints_of(module, source)
    assert any(complaint in sentence for sentence in found), found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("groups.routes", "from aiohttp import web\nfrom groups.service import join"),
        ("groups.service.members", "from groups.store import GroupStore"),
        (
            "groups.store.members",
            "import motor.motor_asyncio, pymongo, groups.models, groups.errors",
        ),
        ("groups.kernel.mongo.database", "from pymongo import InsertOne"),
        ("groups.kernel.event_bus", "from groups.kernel.events import Event"),
        ("groups.errors", "from groups.kernel.errors import NotFound"),
        (
            "conversations.service",
            "from groups.service import find\nfrom groups.events import Joined",
        ),
        ("channels.models", "from groups.policy import Posting"),
        ("channels.service", "from reactions.service import react\nimport conversations.models"),
        ("channels.routes", "from groups.routes import MemberView"),
        ("channels.server.app", "import aiohttp, channels.service, groups.service"),
        ("channels.server.realtime.hub", "from channels.server.realtime.socket import Session"),
        ("channels.cli", "from channels.server.settings import Settings"),
        ("channels.docs_site.generated.pages", "import channels.cli, channels.server.app"),
        ("channels.bench.baselines.http", "from aiohttp import web"),
        ("channels.bench.context", "from channels.bench.store import BenchStore"),
        ("channels.client.transport", "import aiohttp, channels.client.errors"),
        ("channels.__main__", "from channels.server.startup import StartupError"),
        ("channels.server.settings", "import os\nos.environ.get('A')"),
        ("channels.server.data_dir", "import os\nos.open('a', os.O_RDONLY)"),
        ("channels.webhooks.service", "from channels.webhooks.store import Hooks"),
    ],
)
def test_the_innocent_is_left_alone(module: str, source: str) -> None:
    assert complaints_of(module, source) == []


def unexpected_at_the_top(names: set[str]) -> set[str]:
    return {
        name
        for name in names - ALLOWED_AT_THE_TOP - set(MADE_BY_TOOLS)
        if not name.startswith(".") and not name.endswith(".egg-info")
    }


def undeclared(roots: set[str], dependencies: list[str]) -> set[str]:
    """The imported libraries that none of the dependencies installs by name."""
    declared = {
        _normal(re.split(r"[^\w.-]", dependency, maxsplit=1)[0]) for dependency in dependencies
    }
    providers = metadata.packages_distributions()
    return {
        root
        for root in roots - set(sys.stdlib_module_names) - set(PACKAGES) - PART_OF_ANOTHER
        if not declared & {_normal(name) for name in providers.get(root, [])}
    }


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_library_that_is_imported_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    roots = {
        target.split(".")[0]
        for path in modules().values()
        for _, target in imports_of(ast.parse(path.read_text(encoding="utf-8")))
    }
    # `channels.server.tracing` alone needs an extra; `channels.server.run` imports it when it is wanted.
    dependencies = project["dependencies"] + project["optional-dependencies"]["otel"]
    assert undeclared(roots, dependencies) == set()
    importers = {
        module
        for module, path in modules().items()
        if any(
            target.startswith("opentelemetry")
            for _, target in imports_of(ast.parse(path.read_text(encoding="utf-8")))
        )
    }
    assert importers == {"channels.server.tracing"}
    assert undeclared({"aiohttp", "yarl", "json"}, ["aiohttp>=3"]) == {"yarl"}


WITHOUT_LOCKS: Final = {
    # In the background, with one task for each group or process.
    "groups.service.lifecycle.cleanup.clear",
    "channels.comments.service.cleanup.clear",
    "groups.service.messages.stream.delete_remains",
    "groups.service.media.service.sweep",
    "conversations.service.inbox_threads.on_stream_ended",
    "conversations.service.inbox_threads._clear",
    "channels.analytics.service.rollup._roll_up_day",
    "channels.reports.service.clearing._clear",
    "groups.service.messages.search_indexing.run",
    # Once, when the last device of all users is gone.
    "channels.push.delivery.service.unused.end",
    # The steps of a deletion, one after the other, on documents of a user who writes none any more.
    "channels.user_data.service.steps._delete_draft",
    "channels.user_data.service.worker._finish",
    "channels.reports.service.withdrawal.withdraw",
    "conversations.service.dialogue_endings.end",
    "groups.service.media.service.disown",
    # Of a command, which does one thing after the other.
    "channels.moving.service.importing._announce",
    "channels.moving.service.importing._claim",
    "channels.moving.service.importing._claimed",
    "channels.moving.service.importing._keep",
    # Before the server answers.
    "channels.service.verified_badges.move_badges",
    # They only read.
    "groups.service.messages.stream.preview",
    "groups.service.messages.stream._proposals",
    "groups.service.messages.stream._reviewed_edit",
}
"""Transactions that never collide with another one of the same process."""


def _transactions_without_locks(tree: ast.AST) -> Iterator[str]:
    """The functions that run a transaction without naming a lock."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.AsyncFunctionDef):
            continue
        for call in ast.walk(function):
            if (
                isinstance(call, ast.Call)
                and ast.unparse(call.func) in {"self._database.run", "self.database.run"}
                and len(call.args) < 2
            ):
                yield function.name


def test_every_transaction_of_a_request_names_its_locks() -> None:
    found = {
        f"{module}.{name}"
        for module, path in modules().items()
        if ".service." in module and "audit" not in module
        for name in _transactions_without_locks(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == WITHOUT_LOCKS


def test_a_transaction_without_locks_is_caught() -> None:
    for database in ("self._database", "self.database"):
        source = f"async def write(self):\n    await {database}.run(work{{}})"
        assert list(_transactions_without_locks(ast.parse(source.format("")))) == ["write"]
        assert not list(_transactions_without_locks(ast.parse(source.format(", lock"))))


def test_the_top_level_holds_only_what_the_design_names() -> None:
    assert unexpected_at_the_top({path.name for path in ROOT.iterdir()}) == set()
    assert unexpected_at_the_top({"utils.py", ".ci", "groups"}) == {"utils.py"}


# One interpreter loads the libraries, then our modules knot by knot (`knots_of`). Before it loads a knot, it imports
# each module of the knot in a fork, in which nothing of the knot is loaded yet. The modules that are loaded already are
# complete and import nothing of the knot, so their order does not matter. Importing a part of a package imports the
# package first; if that loads the part, both are one case. A fork without any of our modules would take a fifth of a
# second for each module, and a fresh interpreter a whole second.
_IMPORT_EACH_ALONE: Final = """
import gc, importlib, os, sys, traceback

gc.disable()
root, *knots = sys.argv[1:]
sys.path.insert(0, root)
for library in ("aiohttp.web", "motor.motor_asyncio", "pydantic_settings", "typer", "jwt"):
    importlib.import_module(library)
for knot in knots:
    names, failed, seen = knot.split(), [], set()
    for name in names:  # a package before its parts
        if name in seen:
            continue
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                importlib.import_module(name)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            parts = [other for other in names if other in sys.modules and other.startswith(name + ".")]
            os.write(writing, " ".join(parts).encode())
            os._exit(0)
        os.close(writing)
        with open(reading) as loaded:
            seen.update(loaded.read().split())
        if os.waitpid(pid, 0)[1]:
            failed.append(name)
    if failed:
        print(*failed)
        break
    for name in names:
        importlib.import_module(name)
"""


def import_each_alone(root: Path, sources: dict[str, Path]) -> tuple[list[str], str]:
    """The modules that cannot be imported before the others of their knot, of the first such knot; and the errors."""
    knots = knots_of(imported_by(sources))
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT_EACH_ALONE, str(root), *map(" ".join, knots)],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return sorted(done.stdout.split()), done.stderr


def imported_by(sources: dict[str, Path]) -> dict[str, set[str]]:
    """The modules that each module imports, with the packages around them."""
    found: dict[str, set[str]] = {}
    for name, path in sources.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        targets = (name, *(target for _, target in imports_of(tree)))
        found[name] = {part for target in targets for part in _with_parents(target)} & set(sources)
    return found


def _with_parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def knots_of(imports: dict[str, set[str]]) -> list[list[str]]:
    """The modules in knots: modules that import each other, directly or not. A knot comes after those it imports."""
    reached = {name: _reached(name, imports) for name in imports}
    knots = {
        tuple(sorted(other for other in reached[name] if name in reached[other]))
        for name in imports
    }
    return [list(knot) for knot in sorted(knots, key=lambda knot: (len(reached[knot[0]]), knot))]


def _reached(name: str, imports: dict[str, set[str]]) -> set[str]:
    found, ahead = {name}, [name]
    while ahead:
        new = imports[ahead.pop()] - found
        found |= new
        ahead += new
    return found


def test_every_module_can_be_imported_alone() -> None:
    # __main__ is left out: importing it runs the command line.
    sources = {name: at for name, at in modules().items() if not name.endswith("__main__")}
    failed, why = import_each_alone(ROOT, sources)
    assert failed == [], why


def test_knots_hold_modules_in_a_circle_after_their_imports() -> None:
    imports = {
        "a": {"b"},
        "b": {"c"},
        "c": {"a", "d"},
        "d": set[str](),
        "e": {"a", "f"},
        "f": {"d"},
    }
    assert knots_of(imports) == [["d"], ["f"], ["a", "b", "c"], ["e"]]


def test_a_circle_of_imports_is_caught(tmp_path: Path) -> None:
    sources = {
        "first": "from second import b\na = 1",
        "second": "from package.part import c\nfrom first import a\nb = a",
        "package": "from package.part import c",
        "package.part": "import json\nc = 1",
    }
    (tmp_path / "package").mkdir()
    paths = {
        name: tmp_path
        / (f"{name.replace('.', '/')}.py" if name != "package" else "package/__init__.py")
        for name in sources
    }
    for name, path in paths.items():
        path.write_text(sources[name])
    failed, why = import_each_alone(tmp_path, paths)
    assert failed == ["first", "second"]
    assert "ImportError" in why
