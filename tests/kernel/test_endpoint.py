"""The declaration of endpoints, and declarations that are refused."""

import pytest
from pydantic import TypeAdapter, ValidationError

from groups.kernel.actor import Actor
from groups.kernel.endpoint import (
    Body,
    IdempotencyKey,
    NdjsonBody,
    NdjsonStream,
    Query,
    Reply,
    Response,
    delete,
    endpoints_of,
    get,
    post,
    put,
)
from groups.kernel.errors import BadCursor
from groups.kernel.ids import GroupIdText, UserIdText
from tests.builders import ADA


class Cup(Body):
    leaves: int


class Which(Query):
    hot: bool = False


class Tea(Response):
    name: str


class TeaRoutes:
    tag = "Tea"

    @post("/teas/{group_id}", status=201, errors=[BadCursor])
    async def brew(
        self, actor: Actor, group_id: GroupIdText, body: Cup, query: Which, key: IdempotencyKey
    ) -> Tea:
        """Brew a cup.

        It takes three minutes.
        """
        return Tea(name=f"{actor.user_id} {group_id} {body.leaves} {query.hot} {key}")

    @put("/teas/{group_id}/cups/me", also=[202])
    async def pour(self, group_id: GroupIdText, body: Cup | None) -> Reply[Tea]:
        """Pour."""
        return Reply(Tea(name=group_id), 202 if body is None else 200)

    @get("/teapots")
    @get("/kettles", tag="Kettles")
    async def pots(self) -> Tea:
        """The pots."""
        return Tea(name="pot")

    @delete("/teas/{group_id}", status=204)
    async def spill(self, actor: Actor, group_id: GroupIdText) -> None:
        """Spill it."""

    async def not_a_call(self) -> None:
        pass


def test_a_method_declares_its_parameters_and_its_answer() -> None:
    brew, pour, pots, kettles, spill = endpoints_of(TeaRoutes())
    assert (brew.spec.method, brew.spec.path, brew.spec.status) == ("POST", "/teas/{group_id}", 201)
    assert (brew.tag, brew.summary, brew.description) == (
        "Tea",
        "Brew a cup",
        "It takes three minutes.",
    )
    assert (brew.needs_actor, brew.takes_key, list(brew.path)) == (True, True, ["group_id"])
    assert (brew.body, brew.body_is_optional, brew.query, brew.answer) == (Cup, False, Which, Tea)
    assert (pour.body, pour.body_is_optional, pour.answer) == (Cup, True, Tea)
    assert (pour.needs_actor, pour.takes_key, pour.query, pour.spec.also) == (
        False,
        False,
        None,
        (202,),
    )
    assert {(pots.spec.path, pots.tag), (kettles.spec.path, kettles.tag)} == {
        ("/teapots", "Tea"),
        ("/kettles", "Kettles"),
    }
    assert (spill.answer, spill.spec.status) == (None, 204)


async def test_the_handler_is_the_method_itself() -> None:
    brew = endpoints_of(TeaRoutes())[0]
    answer = await brew.handler(
        actor=ADA,
        group_id="g",
        body=Cup(leaves=2),
        query=Which(),
        key=None,
    )
    assert answer == Tea(name="ada g 2 False None")


def test_a_part_of_the_path_without_a_parameter_is_refused() -> None:
    class Routes:
        @get("/teas/{group_id}/{user_id}")
        async def drink(self, group_id: GroupIdText) -> None:
            """Drink."""

    with pytest.raises(TypeError, match="drink"):
        endpoints_of(Routes())


def test_a_parameter_that_is_not_in_the_path_is_refused() -> None:
    class Routes:
        @get("/teas/{group_id}")
        async def drink(self, group_id: GroupIdText, user_id: UserIdText) -> None:
            """Drink."""

    with pytest.raises(TypeError, match="user_id"):
        endpoints_of(Routes())


def test_an_endpoint_without_a_docstring_is_refused() -> None:
    class Routes:
        @get("/teas")
        async def drink(self) -> None:
            pass

    with pytest.raises(TypeError, match="docstring"):
        endpoints_of(Routes())


def test_unknown_fields_are_refused_and_bodies_are_frozen() -> None:
    assert Cup.model_validate({"leaves": 1}) == Cup(leaves=1)
    for model, given in ((Cup, {"leaves": 1, "sugar": 1}), (Which, {"cold": True})):
        with pytest.raises(ValidationError):
            model.model_validate(given)
    with pytest.raises(ValidationError):
        Cup(leaves=1).leaves = 2  # type: ignore[misc]  # frozen, which is the point


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "a\n", "x" * 129, "\x7f"])
def test_an_idempotency_key_is_short_printable_ascii(key: str) -> None:
    adapter: TypeAdapter[str | None] = TypeAdapter(IdempotencyKey)
    assert adapter.validate_python("x" * 128) == "x" * 128
    assert adapter.validate_python("3f!~") == "3f!~"
    with pytest.raises(ValidationError):
        adapter.validate_python(key)


async def test_a_streamed_endpoint_declares_the_type_of_its_lines() -> None:
    class Routes:
        @post("/teas")
        async def brew_all(self, lines: NdjsonBody[Cup]) -> NdjsonStream[Tea]:
            """Brew many cups."""
            raise NotImplementedError

    (endpoint,) = endpoints_of(Routes())
    assert (endpoint.line, endpoint.answer, endpoint.is_stream) == (Cup, Tea, True)
    assert endpoint.body is None
    assert not any(other.is_stream or other.line for other in endpoints_of(TeaRoutes()))
