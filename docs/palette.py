# ruff: noqa: INP001 - beside the program that uses it
"""Rewrites a picture of a page with a palette, which makes it a third as large.

The browser, which is there anyway, reads the picture and counts its colours: the most frequent ones stay as they are,
and of the others, which are edges of letters, each becomes the nearest. It must never change what can be read.
"""

import struct
import zlib
from base64 import b64decode, b64encode
from typing import Final

from playwright.async_api import Page

_INDEXED: Final = 3
_COUNT: Final = """async ({ png, most }) => {
  const blob = await (await fetch('data:image/png;base64,' + png)).blob();
  const picture = await createImageBitmap(blob);
  const context = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
  context.drawImage(picture, 0, 0);
  const { data, width, height } = context.getImageData(0, 0, picture.width, picture.height);
  const counts = new Map();
  const colours = new Uint32Array(width * height);
  for (let at = 0; at < colours.length; at += 1) {
    colours[at] = data[at * 4] * 65536 + data[at * 4 + 1] * 256 + data[at * 4 + 2];
    counts.set(colours[at], (counts.get(colours[at]) ?? 0) + 1);
  }
  const kept = [...counts].sort((one, other) => other[1] - one[1]).slice(0, most).map(([colour]) => colour);
  const parts = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];
  const apart = (one, other) => parts(one).reduce((sum, part, at) => sum + (part - parts(other)[at]) ** 2, 0);
  const places = new Map(kept.map((colour, place) => [colour, place]));
  for (const colour of counts.keys()) {
    const nearest = (best, other, at) => (apart(colour, other) < apart(colour, kept[best]) ? at : best);
    if (!places.has(colour)) places.set(colour, kept.reduce(nearest, 0));
  }
  const indices = Uint8Array.from(colours, (colour) => places.get(colour));
  let text = '';
  for (let at = 0; at < indices.length; at += 8192) text += String.fromCharCode(...indices.subarray(at, at + 8192));
  return { width, height, colours: kept, indices: btoa(text) };
}"""


async def with_palette(png: bytes, page: Page, most: int) -> bytes:
    """Give the same picture with at most `most` (up to 256) colours; `page` is any page that may run a script."""
    read = await page.evaluate(_COUNT, {"png": b64encode(png).decode(), "most": most})
    width, height, indices = read["width"], read["height"], b64decode(read["indices"])
    rows = b"".join([b"\0" + indices[start : start + width] for start in range(0, width * height, width)])
    colours = b"".join([colour.to_bytes(3) for colour in read["colours"]])
    head = struct.pack(">IIBBBBB", width, height, 8, _INDEXED, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", colours), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join([_chunk(kind, data) for kind, data in parts])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
