"""`outwatch policy` and `outwatch init`: contracts, targets and rules as a file, and on their topic."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.exits import Exit

if TYPE_CHECKING:
    from models.errors import Problem
    from streams.policies import Stored

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

    problems = policy_file.lint(_text(file), str(file))
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

    import orjson

    from models import policy_file
    from models.clock import now_ms
    from models.settings import Settings
    from streams.policies import apply_policy

    text = _text(file)
    policy = policy_file.load(text, str(file))
    applied = asyncio.run(apply_policy(Settings(), policy, now_ms()))
    if as_json:
        typer.echo(orjson.dumps(applied, option=orjson.OPT_INDENT_2))
        return
    for partner, revision in applied.changed.items():
        typer.echo(f"{_who(partner)}: revision {revision}")
    for partner in applied.retired:
        typer.echo(f"{_who(partner)}: no longer named, its alerts are retired")
    typer.echo(f"{len(applied.changed)} changed, {len(applied.unchanged)} unchanged, {len(applied.retired)} retired")


@app.command()
def show(
    partner: Annotated[str | None, typer.Option("--partner", help="Only this one; * is what is shared.")] = None,
    as_json: Json = False,
) -> None:
    """Show what holds now, as workers read it."""
    import asyncio

    import orjson

    from models.settings import Settings
    from streams.policies import read_policies

    current = [record for record in _current(asyncio.run(read_policies(Settings()))) if partner in {None, record["partner"]}]
    if as_json:
        typer.echo(orjson.dumps(current, option=orjson.OPT_INDENT_2))
    else:
        typer.echo("".join(map(_yaml, current)), nl=False)
    if partner is None and not current and not as_json:
        typer.echo("no policy was applied: every partner counts under the defaults, and no rule judges it")
    if partner is not None and not current:
        typer.echo(f"no policy names {partner}", err=True)
        raise typer.Exit(Exit.PROBLEMS)


def _current(stored: "Stored") -> list[dict[str, Any]]:
    """The records that hold now, as JSON data: what is shared first, then partners by id.

    Raises:
        PolicyError: if one does not hold, so that workers go on with what they had.
    """
    import orjson

    from models.policy_record import decode_policy

    changes = [(decode_policy(key, value), value) for (_, key), value in stored.items()]
    current = {change.partner: orjson.loads(value) for change, value in changes if change.current}
    return [record for _, record in sorted(current.items())]


def _yaml(record: dict[str, Any]) -> str:
    """A current part as the file said it, under a line with its revision."""
    from datetime import UTC, datetime
    from io import StringIO

    from ruamel.yaml import YAML

    applied_at = datetime.fromtimestamp(record["applied_at"] / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    out = StringIO()
    YAML().dump(record["part"], out)
    return f"--- # {_who(record['partner'])}: revision {record['revision']}, applied {applied_at}\n{out.getvalue()}"


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
