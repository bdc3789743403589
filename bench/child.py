"""A rival in a process of its own: started with settings in its environment, measured by itself, ended by us.

What it logs is kept in a file until it has measured, as under a supervisor: an alert is a line there, and that is part of the work.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from signal import SIGTERM
from typing import Any

import orjson

from models.settings import PREFIX, Settings

_SECONDS_MAX = 300.0
_END_SECONDS_MAX = 20.0
_LINE_BYTES_MAX = 1 << 24


@asynccontextmanager
async def child(module: str, settings: Settings, *arguments: object) -> AsyncIterator[dict[str, Any]]:
    """Run `python -m MODULE ARGUMENTS` and give what it measured; it runs until the end of the with statement."""
    variables = {f"{PREFIX}{name.upper()}": str(value) for name, value in settings.model_dump(mode="json", exclude_unset=True).items()}
    log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process, below
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *map(str, arguments),
        cwd=Path(__file__).parents[1],
        env=os.environ | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=log,
        limit=_LINE_BYTES_MAX,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_SECONDS_MAX):
            while (line := await process.stdout.readline()) and not line.startswith(b"{"):
                pass  # Faust greets.
        if not line:
            code = await process.wait()
            log.seek(0)
            msg = f"{module} ended with {code} and measured nothing: {log.read()[-2_000:].decode(errors='replace')}"
            raise RuntimeError(msg)
        yield orjson.loads(line)
    finally:
        with suppress(ProcessLookupError):
            os.kill(process.pid, SIGTERM)  # `terminate` would take the exit code of one that has ended from who waits for it.
        try:
            async with asyncio.timeout(_END_SECONDS_MAX):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        log.close()
