"""The tables of `docs/metrics.md` that are generated: `python -m streams.health.docs` writes them, and a test fails when they drift."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML

from models.readme import fill
from streams.health.auditor_metrics import AuditorMetrics
from streams.health.catalogue import Described
from streams.health.desk_metrics import DeskMetrics
from streams.health.notifier_metrics import NotifierMetrics
from streams.health.projector_metrics import ProjectorMetrics
from streams.health.worker_metrics import WorkerMetrics

__all__ = ["filled"]

_ROOT: Final = Path(__file__).parents[2]
_PAGE: Final = _ROOT / "docs" / "metrics.md"


def _metrics(described: Iterable[Described]) -> str:
    lines = ["| metric | type | labels | what |", "| --- | --- | --- | --- |"]
    lines += [f"| `{each.name}` | {each.kind} | {', '.join(each.labels)} | {each.what} |" for each in described]
    return "\n".join(lines) + "\n"


def _rules() -> str:
    lines = ["| alert | for | severity | what it says | what to do |", "| --- | --- | --- | --- | --- |"]
    for group in YAML(typ="safe").load(_ROOT / "deploy" / "prometheus-rules.yaml")["groups"]:
        for rule in group["rules"]:
            said = rule["annotations"]
            lines.append(f"| `{rule['alert']}` | {rule['for']} | {rule['labels']['severity']} | {said['summary']} | {said['action']} |")
    return "\n".join(lines) + "\n"


def filled(text: str) -> str:
    """`text` with its generated parts written anew."""
    made = {
        "worker": WorkerMetrics().catalogue,
        "projector": ProjectorMetrics().catalogue,
        "notifier": NotifierMetrics().catalogue,
        "auditor": AuditorMetrics().catalogue,
        "desk": DeskMetrics().catalogue,
    }
    return fill(text, {**{name: _metrics(each.described) for name, each in made.items()}, "alerts": _rules()})


if __name__ == "__main__":
    _PAGE.write_text(filled(_PAGE.read_text()))
