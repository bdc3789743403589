"""The command line `outwatch`.

A module a command; each imports what it needs only when it runs, so that `outwatch --help` is quick.
"""

import logging
import sys

import typer

from streams.cli import (
    annotations,
    audit,
    commands,
    dead_letters,
    demo,
    desk,
    erase,
    escalation,
    explain,
    incident,
    kpis,
    notify,
    oncall,
    oncall_files,
    oncall_report,
    policy,
    policy_backtest,
    policy_explain,
    policy_trial,
    project,
    replay,
    run,
    simulate,
    status,
    tail,
    topics,
)
from streams.cli.exits import explain as exit_of

__all__ = ["app", "main"]

app = typer.Typer(
    name="outwatch",
    help="A live watch on outsourced customer service. Settings are environment variables that begin with OUTWATCH_.",
    epilog="Exit codes: 0 done, 1 problems found, 2 wrong usage or setting, 3 Kafka or Redis unreachable, 4 a worker stopped itself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(run.run)
app.command()(project.project)
app.add_typer(desk.desk, name="desk")
app.add_typer(notify.notify, name="notify")
app.command()(audit.audit)
app.command()(status.status)
app.command()(tail.tail)
app.command()(kpis.kpis)
app.command()(explain.explain)
app.command()(demo.demo)
app.command()(policy.init)
policy.app.command("test")(policy_trial.run_tests)
policy.app.command()(policy_backtest.backtest)
policy.app.command()(policy_explain.explain)
app.add_typer(policy.app, name="policy")
app.add_typer(commands.silence, name="silence")
app.command()(commands.ack)
app.command()(commands.comment)
app.command()(annotations.annotate)
app.add_typer(annotations.annotation, name="annotation")
app.add_typer(incident.app, name="incident")
app.add_typer(escalation.app, name="escalation")
oncall.app.command()(oncall_files.export)
oncall.app.command("import")(oncall_files.import_)
oncall.app.command()(oncall_report.report)
app.add_typer(oncall.app, name="oncall")
app.add_typer(topics.app, name="topics")
app.add_typer(dead_letters.app, name="dead-letters")
app.command()(erase.erase)
app.command()(simulate.simulate)
app.command()(replay.replay)


def main() -> None:
    """Run the command of `sys.argv`; an error that a user can act on is one line and an exit code, no traceback."""
    # Clients log each attempt to connect; the one line below says the same once. Processes that run for long set up their own log.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        app()
    except Exception as error:
        explained = exit_of(error)
        if explained is None:
            raise
        code, text = explained
        typer.echo(text, err=True)
        sys.exit(code)
