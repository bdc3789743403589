"""`outwatch run` whose state takes so many seconds more to read, the first argument."""

import asyncio
import sys
from typing import Any

from streams import owner
from streams.holding import Holding, read_changelog

MORE_SECONDS = float(sys.argv.pop(1))


async def read_slowly(reader: Any, holdings: list[Holding]) -> int:
    """As `read_changelog`, later."""
    await asyncio.sleep(MORE_SECONDS)
    return await read_changelog(reader, holdings)


vars(owner)["read_changelog"] = read_slowly

if __name__ == "__main__":
    from streams.cli import main

    main()
