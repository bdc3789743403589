"""`outwatch policy test`: rules held against what their authors expect of them."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.exits import Exit

__all__ = ["run_tests"]


def run_tests(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="Tests, YAML files.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run tests of rules: what a policy makes of series of figures or of events; ends with 1 if one does not hold."""
    import orjson

    from streams.trial.check import run_suites

    done = []
    for result in run_suites(files):
        done.append(result)
        if as_json:
            continue
        typer.echo(f"{'FAILED' if result.failures else 'passed'}  {result.name}")
        for failure in result.failures:
            typer.echo(f"  {result.file}:{failure.line}: expected {failure.expected}; saw {failure.saw}")
            typer.echo("".join(f"    {line}\n" for line in failure.evidence), nl=False)
    failed = sum(bool(result.failures) for result in done)
    if as_json:
        typer.echo(orjson.dumps(done, option=orjson.OPT_INDENT_2))
    else:
        typer.echo(f"{len(done)} test{'' if len(done) == 1 else 's'}, {failed or 'none'} failed")
    if failed:
        raise typer.Exit(Exit.PROBLEMS)
