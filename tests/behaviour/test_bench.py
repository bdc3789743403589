"""`python -m bench --quick`: everything that the benchmarks measure still runs, and every rival's figures are the truth."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(320)
def test_the_quick_benchmark_runs_and_every_figure_agrees(kafka: str) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-m", "bench", "--quick"], cwd=root, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    assert "run 1 of 1" in done.stdout
    assert "of the floor by wall time" in done.stdout
    assert "events in no figure a minute after: 0" in done.stdout
    assert "memory of a partner's scope" in done.stdout
    assert "## Width, and partners who lie idle" in done.stdout
    assert "# Recovery\n" in done.stdout
