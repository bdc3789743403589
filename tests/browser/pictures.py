"""The pictures of the README: `python -m tests.browser.pictures` looks at a seeded desk with the system's Chromium (`make screenshots`)."""

import asyncio
import struct
import tempfile
import zlib
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, Page, async_playwright, expect

from tests.browser.standing import Stand, chromium_path, log_in, standing

FOLDER: Final = Path(__file__).parents[2] / "docs" / "pictures"
PARTNERS: Final = 60
_SETTLES_SECONDS: Final = 6
"""Lines and charts come by requests of their own, whose end nothing tells."""

_LOOKS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "overview": ("/", {"viewport": {"width": 1440, "height": 860}, "color_scheme": "light"}),
    "partner": ("/partner/acme", {"viewport": {"width": 1440, "height": 1180}, "color_scheme": "dark"}),
    "wall": ("/wall", {"viewport": {"width": 1600, "height": 900}, "color_scheme": "dark"}),
}

# The 256 colours that stand for all: the most frequent ones, each some way from those before; then each pixel's nearest.
_QUANTISE: Final = """
async (png) => {
  const image = await createImageBitmap(await (await fetch(png)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const pixels = new Uint32Array(canvas.getImageData(0, 0, image.width, image.height).data.buffer);
  const counts = new Map();
  for (const each of pixels) counts.set(each, (counts.get(each) ?? 0) + 1);
  const far = (one, other) => [0, 8, 16].reduce((sum, bits) => sum + ((one >> bits & 255) - (other >> bits & 255)) ** 2, 0);
  const colours = [...counts.keys()].sort((one, other) => counts.get(other) - counts.get(one));
  const palette = [];
  for (const each of colours) if (palette.length < 256 && palette.every((other) => far(each, other) > 40)) palette.push(each);
  const nearest = new Map(colours.map((each) => {
    let best = 0;
    palette.forEach((other, at) => { if (far(each, other) < far(each, palette[best])) best = at; });
    return [each, best];
  }));
  const indices = Uint8Array.from(pixels, (each) => nearest.get(each));
  const url = await new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.readAsDataURL(new Blob([indices]));
  });
  return {width: image.width, height: image.height, palette, indices: url.split(",")[1]};
}
"""


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


async def _small(blank: Page, png: bytes) -> bytes:
    """The same picture in 256 colours, a third of the size."""
    found = await blank.evaluate(_QUANTISE, "data:image/png;base64," + b64encode(png).decode())
    width, height, indices = found["width"], found["height"], b64decode(found["indices"])
    rows = b"".join(b"\0" + indices[at : at + width] for at in range(0, width * height, width))
    palette = b"".join(struct.pack("<I", each & 0xFFFFFFFF)[:3] for each in found["palette"])
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = [_chunk(b"IHDR", header), _chunk(b"PLTE", palette), _chunk(b"IDAT", zlib.compress(rows, 9)), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


async def _take(browser: Browser, stand: Stand, path: str, look: dict[str, Any]) -> bytes:
    context = await browser.new_context(timezone_id="Europe/Lisbon", locale="en-GB", **look)
    await log_in(context, stand.url, "operator")
    page = await context.new_page()
    await page.goto(f"{stand.url}{path}")
    await expect(page.get_by_text("Acme Care").first).to_be_visible()
    await asyncio.sleep(_SETTLES_SECONDS)
    taken = await page.screenshot()
    await context.close()
    return taken


async def _main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        async with standing(Path(scratch), PARTNERS) as stand, async_playwright() as playwright:
            await stand.view.go_back()
            browser = await playwright.chromium.launch(executable_path=chromium_path())
            blank = await browser.new_page()
            for name, (path, look) in _LOOKS.items():
                picture = await _small(blank, await _take(browser, stand, path, look))
                (FOLDER / f"desk-{name}.png").write_bytes(picture)
                print(f"docs/pictures/desk-{name}.png: {len(picture) // 1000} kB")
            await browser.close()


if __name__ == "__main__":
    asyncio.run(_main())
