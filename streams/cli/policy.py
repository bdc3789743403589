"""`outwatch policy` and `outwatch init`: contracts, targets and rules as a file, and on their topic."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.exits import Exit

if TYPE_CHECKING:
    from pydantic import BaseModel

    from models.errors import Problem
    from streams.policies import Applied
    from streams.policy_history import Revision

__all__ = ["app", "init"]

app = typer.Typer(no_args_is_help=True, help="Check a policy file, put it where workers read it, or show what is there.")

PolicyPath = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="The policy, a YAML file.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False, help="Where to write it.")] = Path("policy.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Write a commented policy to begin with."""
    from importlib.resources import files

    try:
        with file.open("wb" if force else "xb") as out:
            out.write(files("models").joinpath("example_policy.yaml").read_bytes())
    except FileExistsError:
        typer.echo(f"{file} is there already (--force replaces it)", err=True)
        raise typer.Exit(Exit.PROBLEMS) from None
    except OSError as error:
        typer.echo(f"{file} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(Exit.PROBLEMS) from None
    typer.echo(f"wrote {file}; change it, then: outwatch policy lint {file} && outwatch policy apply {file}")


@app.command()
def lint(file: PolicyPath, as_json: Json = False) -> None:
    """Say what is wrong with a file, by line and field; ends with 1 if there is an error."""
    import orjson

    from models import policy_file
    from models.clock import now_ms

    problems = policy_file.lint(_text(file), str(file), now_ms())
    if as_json:
        typer.echo(orjson.dumps(problems, option=orjson.OPT_INDENT_2))
    else:
        _echo(problems)
        typer.echo(f"{file}: {_count(problems, 'error')}, {_count(problems, 'warning')}")
    if any(problem.level == "error" for problem in problems):
        raise typer.Exit(Exit.PROBLEMS)


@app.command()
def apply(file: PolicyPath, as_json: Json = False) -> None:
    """Make a file the policy that holds, in one transaction; nothing is changed if there is an error in it."""
    import asyncio

    from models import policy_file
    from models.clock import now_ms
    from models.settings import Settings
    from streams.policies import apply_policy

    text = _text(file)
    policy = policy_file.load(text, str(file))
    applied = asyncio.run(apply_policy(Settings(), policy, now_ms()))
    _echo_applied(applied, as_json=as_json)


@app.command()
def show(
    partner: Annotated[str | None, typer.Option("--partner", help="Only this one; * is what is shared.")] = None,
    as_json: Json = False,
) -> None:
    """Show what holds now, as workers read it."""
    import asyncio

    import orjson

    from models.policy_spec import to_json
    from models.settings import Settings
    from streams.policies import read_policies
    from streams.policy_history import current

    held = [each for each in current(asyncio.run(read_policies(Settings()))) if partner in {None, each.partner}]
    if as_json:
        typer.echo(orjson.dumps([_told(each) | {"part": to_json(each.part)} for each in held], option=orjson.OPT_INDENT_2))
    else:
        typer.echo("".join(map(_yaml, held)), nl=False)
    if partner is None and not held and not as_json:
        typer.echo("no policy was applied: every partner counts under the defaults, and no rule judges it")
    if partner is not None and not held:
        typer.echo(f"no policy names {partner}", err=True)
        raise typer.Exit(Exit.PROBLEMS)


@app.command()
def diff(file: PolicyPath, as_json: Json = False) -> None:
    """Show what applying a file would change of what holds now; nothing is written."""
    import asyncio
    from difflib import unified_diff

    import orjson

    from models.policy_file import load, parts
    from models.settings import Settings
    from models.topics import BROADCAST
    from streams.policies import read_policies
    from streams.policy_history import current

    shared, own = parts(load(_text(file), str(file)))
    before = {each.partner: each.part for each in current(asyncio.run(read_policies(Settings())))}
    after = {BROADCAST: shared, **own}
    lines = {
        partner: list(unified_diff(_lines(before.get(partner)), _lines(after.get(partner)), f"now/{partner}", f"{file}/{partner}"))
        for partner in sorted(before.keys() | after.keys())
    }
    changed = {partner: "".join(found) for partner, found in lines.items() if found}
    if as_json:
        typer.echo(orjson.dumps(changed, option=orjson.OPT_INDENT_2))
    else:
        typer.echo("".join(changed.values()) or "nothing would change\n", nl=False)


@app.command()
def history(
    partner: Annotated[str | None, typer.Option("--partner", help="Only this one; * is what is shared.")] = None,
    as_json: Json = False,
) -> None:
    """List every revision that was applied, the newest first."""
    import asyncio

    import orjson

    from models.settings import Settings
    from streams import policy_history
    from streams.policies import read_policies

    found = [each for each in policy_history.history(asyncio.run(read_policies(Settings()))) if partner in {None, each.partner}]
    if as_json:
        typer.echo(orjson.dumps([_told(each) for each in found], option=orjson.OPT_INDENT_2))
        return
    for each in found:
        typer.echo(f"{_when(each.applied_at)}  {each.revision}  {_who(each.partner)}{'  (holds)' if each.current else ''}")
    if not found:
        typer.echo("no policy was applied" if partner is None else f"no policy that was applied names {partner}")


@app.command()
def rollback(
    revision: Annotated[str, typer.Argument(metavar="REVISION", help="As `outwatch policy history` lists it.")], as_json: Json = False
) -> None:
    """Make an earlier revision of one part hold again, the others as they are; refused whole if they do not hold together."""
    import asyncio

    from models.clock import now_ms
    from models.settings import Settings
    from streams.policies import roll_back

    _echo_applied(asyncio.run(roll_back(Settings(), revision, now_ms())), as_json=as_json)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a policy file, for editors that check and complete YAML by one."""
    from models.schemas import POLICY_FILE, schema_texts

    typer.echo(schema_texts()[POLICY_FILE], nl=False)


def _echo_applied(applied: "Applied", *, as_json: bool) -> None:
    import orjson

    if as_json:
        typer.echo(orjson.dumps(applied, option=orjson.OPT_INDENT_2))
        return
    for partner, revision in applied.changed.items():
        typer.echo(f"{_who(partner)}: revision {revision}")
    for partner in applied.retired:
        typer.echo(f"{_who(partner)}: no longer named, its alerts are retired")
    typer.echo(f"{len(applied.changed)} changed, {len(applied.unchanged)} unchanged, {len(applied.retired)} retired")


def _told(each: "Revision") -> dict[str, Any]:
    return {"partner": each.partner, "revision": each.revision, "applied_at": each.applied_at, "current": each.current}


def _yaml(each: "Revision") -> str:
    """A current part as the file said it, under a line with its revision."""
    return f"--- # {_who(each.partner)}: revision {each.revision}, applied {_when(each.applied_at)}\n{''.join(_lines(each.part))}"


def _lines(part: "BaseModel | None") -> list[str]:
    from io import StringIO

    from ruamel.yaml import YAML

    from models.policy_spec import to_json

    out = StringIO()
    if part is not None:
        YAML().dump(to_json(part), out)
    return out.getvalue().splitlines(keepends=True)


def _when(at_ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _text(file: Path) -> str:
    from models.errors import PolicyError, Problem

    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise PolicyError([Problem(str(file), line, "(file)", "is not UTF-8", "save it as UTF-8")]) from None


def _echo(problems: "list[Problem]") -> None:
    for problem in problems:
        typer.echo(str(problem))


def _count(problems: "list[Problem]", level: str) -> str:
    number = sum(problem.level == level for problem in problems)
    return f"{number or 'no'} {level}{'' if number == 1 else 's'}"


def _who(partner: str) -> str:
    return "all partners" if partner == "*" else partner
