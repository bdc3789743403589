"""The OpenAPI document is true: requests of every kind, made from it, against a real desk."""

import asyncio
import sys
from pathlib import Path

import pytest

from desk.openapi import document
from streams.projector.projection import Record
from tests.desks import TOKENS, fill, serving
from tests.view_records import kpi_record

pytestmark = [pytest.mark.redis, pytest.mark.slow]

SPANS = """
[[operations]]
include-operation-id = ["annotate", "dispute", "kpi", "figures", "schedule", "override", "reassign"]
checks.positive_data_acceptance.expected-statuses = [200, 202, 404, 422]
"""
"""That a span ends after it began, how many points there are in it, and what a scope is, a schema cannot say."""


async def test_every_answer_is_what_the_document_says(redis_url: str, app_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Schemathesis makes requests that hold and such that do not; the stream, which never ends, is left out."""
    for limit in ("desk.identity._LOGIN_BURST", "desk.server._COMMANDS_BURST", "desk.server._READS_BURST"):
        monkeypatch.setattr(limit, 1_000_000)
    (tmp_path / "schemathesis.toml").write_text(SPANS)
    async with serving(redis_url, app_id, tmp_path) as served:
        # Names that whoever draws texts comes upon.
        named = [Record(served.settings.topics.kpis, 0, *kpi_record(name, {"answered": 1})) for name in ("0", "00", "a")]
        await fill(served.client, served.settings, named)
        url, token = f"{served.url}/api/v1/openapi.json", f"Authorization: Bearer {TOKENS['operator']}"
        bounds = ["--exclude-operation-id", "stream", "--max-examples", "4", "--seed", "1", "--phases", "coverage,fuzzing"]
        quiet = ["--generation-database", "none", "--no-color"]
        command = ["-m", "schemathesis.cli", "run", url, "--header", token, *bounds, *quiet]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        async with asyncio.timeout(110):
            told, _ = await process.communicate()
        assert process.returncode == 0, told.decode()
        total = sum(len(operations) for operations in document()["paths"].values()) - 1  # But for the document itself.
        assert f"{total - 1} selected / {total} total" in told.decode()
        assert served.commands
