"""`python -m bench [--quick]`: measure, check, print the ratios; the whole form writes docs/benchmarks.md and its plot.

The quick form also runs the soak and the state's costs in miniature.
"""

import asyncio
import sys
from pathlib import Path

from bench import flat, recovery, soak, state
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
    if arguments not in ([], ["--quick"]):
        sys.stderr.write("usage: python -m bench [--quick]\n")
        return 2
    quick = bool(arguments)
    where = environment()
    for name, value in where.items():
        print(f"{name}: {value}")
    speed, restarts = QUICK if quick else WHOLE
    results = asyncio.run(run(speed, say))
    text = page(results, where) + flat.page(flat.measure(speed.engine, speed.repeats, say))
    text += recovery_page(asyncio.run(recovery.run(restarts, say)))
    if quick:
        print(text)
        asyncio.run(_small())
    else:
        docs = Path(__file__).parents[1] / "docs"
        (docs / "benchmarks.md").write_text(text, encoding="utf-8")
        (docs / PLOT).write_text(plot(results), encoding="utf-8")
    print("\n".join(ratios(results)))
    return 0


async def _small() -> None:
    print(soak.page(await soak.soak(4, 500, 1, every_seconds=2, contacts=500), environment()))
    print(state.table(state.cost(1, 50)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
