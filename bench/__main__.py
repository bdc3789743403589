"""`python -m bench [--quick | speed | recovery]`: measure, check, print what came of it.

The whole form, or one of its two parts, writes docs/benchmarks.md with its plot and docs/recovery.md. The quick form writes nothing,
and also runs the soak, the state's costs and a backtest in miniature.
"""

import asyncio
import sys
from pathlib import Path
from typing import Final

from bench import backtest, flat, recovery, soak, state
from bench.environment import environment
from bench.report import PLOT, page, plot, ratios, recovery_page
from bench.run import Sizes, run

WHOLE = Sizes(records=1_000_000, few=2_000, engine=200_000, repeats=5), recovery.WHOLE
QUICK = Sizes(records=20_000, few=100, engine=20_000, repeats=1), recovery.QUICK
"""To see that it still runs and that the figures agree, never to judge a time."""


def say(line: str) -> None:
    """How far it is."""
    print(line, flush=True)


def main(arguments: list[str]) -> int:
    """The exit code: 2 for arguments that mean nothing."""
    if arguments not in ([], ["--quick"], *([each] for each in _PARTS)):
        sys.stderr.write("usage: python -m bench [--quick | speed | recovery]\n")
        return 2
    quick = arguments == ["--quick"]
    where = environment()
    for name, value in where.items():
        print(f"{name}: {value}")
    for part in _PARTS if quick else arguments or _PARTS:
        for name, text in _PARTS[part](QUICK if quick else WHOLE, where).items():
            if quick and name != PLOT:
                print(text)
            elif not quick:
                (_DOCS / name).write_text(text, encoding="utf-8")
    if quick:
        asyncio.run(_small())
    return 0


def _speed(sizes: tuple[Sizes, recovery.Sizes], where: dict[str, str]) -> dict[str, str]:
    speed, _ = sizes
    results = asyncio.run(run(speed, say))
    text = page(results, where) + flat.page(flat.measure(speed.engine, speed.repeats, say))
    print("\n".join(ratios(results)))
    return {"benchmarks.md": text, PLOT: plot(results)}


def _recovery(sizes: tuple[Sizes, recovery.Sizes], where: dict[str, str]) -> dict[str, str]:
    _, restarts = sizes
    return {"recovery.md": recovery_page(asyncio.run(recovery.run(restarts, say)), where)}


_PARTS: Final = {"speed": _speed, "recovery": _recovery}
_DOCS: Final = Path(__file__).parents[1] / "docs"


async def _small() -> None:
    print(soak.page(await soak.soak(4, 500, 1, every_seconds=2, contacts=500), environment()))
    print(state.table(state.cost(1, 50)))
    print(backtest.line(backtest.measure(2_000)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
