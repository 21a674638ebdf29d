"""Commit, then acknowledge, and nothing after: what follows an acknowledgement can fail without anybody knowing."""

import ast
from collections.abc import Iterator, Sequence

import pytest

from tests.architecture.source_tree import Source, dotted, functions, place, planted, python_files

LATER = frozenset({"create_task", "ensure_future", "call_soon", "call_later", "add_done_callback", "BackgroundTask"})


def is_ack(node: ast.AST) -> bool:
    """Whether this is `ack(...)`, or `something.ack(...)`."""
    return isinstance(node, ast.Call) and dotted(node.func).split(".")[-1] == "ack"


def has_ack(node: ast.AST) -> bool:
    """Whether an acknowledgement is somewhere inside."""
    return any(is_ack(inner) for inner in ast.walk(node))


def followed(block: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Every statement that runs after an acknowledgement of this block, or around it."""
    for index, statement in enumerate(block):
        if not has_ack(statement):
            continue
        yield from block[index + 1 :] if not leaves(statement) else ()
        match statement:
            case ast.If():
                yield from followed(statement.body)
                yield from followed(statement.orelse)
            case ast.Match():
                for case in statement.cases:
                    yield from followed(case.body)
            case ast.Expr(value=ast.Await(value=call)) if is_ack(call):
                pass
            case ast.Return(value=ast.Await(value=call)) if is_ack(call):
                pass
            case _:
                yield statement  # in a loop, a with, a try or an expression something runs after it


def leaves(statement: ast.stmt) -> bool:
    """Whether each branch that acknowledges leaves the function by itself."""
    match statement:
        case ast.Return():
            return True
        case ast.If():
            return all(leaves_block(branch) for branch in (statement.body, statement.orelse))
        case ast.Match():
            return all(leaves_block(case.body) for case in statement.cases)
        case _:
            return False


def leaves_block(block: Sequence[ast.stmt]) -> bool:
    """Whether this branch does not acknowledge, or ends with a return."""
    return not any(has_ack(statement) for statement in block) or isinstance(block[-1], ast.Return)


def late_work(source: Source) -> Iterator[str]:
    """Every place where something follows an acknowledgement."""
    for function in functions(source):
        for statement in followed(function.body):
            bare_return = isinstance(statement, ast.Return) and statement.value is None
            if not bare_return:
                yield place(source, statement)


def bolt_apps(source: Source) -> Iterator[ast.Call]:
    """Every construction of a Bolt application."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and dotted(node.func).split(".")[-1] in {"App", "AsyncApp"}:
            yield node


@pytest.mark.parametrize(
    "body",
    [
        "await ack()\n    log('done')",
        "if x:\n        await ack()\n    log('done')",
        "try:\n        await ack()\n    finally:\n        close()",
        "async with lock:\n        await ack()",
        "for x in y:\n        await ack()",
        "done = await ack()",
        "await self.ack(text)\n    return await more()",
        "match x:\n        case 1:\n            await ack()\n    log()",
    ],
)
def test_the_check_finds_planted_late_work(body: str) -> None:
    """Each way to do something after the acknowledgement is found."""
    assert list(late_work(planted(f"async def listener(ack):\n    {body}\n")))


@pytest.mark.parametrize(
    "body",
    [
        "commit()\n    await ack()",
        "if x:\n        await ack()\n        return\n    commit()\n    await ack(view)",
        "if x:\n        await ack()\n    else:\n        await ack(y)",
        "return await ack()",
        "match x:\n        case 1:\n            await ack()\n        case _:\n            return",
    ],
)
def test_the_check_leaves_good_listeners_alone(body: str) -> None:
    """Acknowledging last is what is wanted."""
    assert not list(late_work(planted(f"async def listener(ack):\n    {body}\n")))


def test_nothing_follows_an_acknowledgement() -> None:
    """In the Slack edge an acknowledgement, where there is one, is the last thing that happens."""
    assert [where for source in python_files("handlers/slack") for where in late_work(source)] == []


def test_bolt_answers_when_the_listener_returns() -> None:
    """Each Bolt application is made with `process_before_response=True`: returning is acknowledging."""
    apps = [app for source in python_files("handlers/slack") for app in bolt_apps(source)]
    assert apps
    for app in apps:
        given = {word.arg: word.value for word in app.keywords}
        assert ast.unparse(given.get("process_before_response", ast.Constant(value=None))) == "True"


def test_no_listener_leaves_work_behind() -> None:
    """Nothing in the Slack edge is started and left to run after the answer."""
    found = [
        place(source, node)
        for source in python_files("handlers/slack")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute | ast.Name) and dotted(node).split(".")[-1] in LATER
    ]
    assert found == []
