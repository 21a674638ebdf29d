# ruff: noqa: INP001 - beside the program that uses it
"""Rewrites a picture of a page with a palette of at most 256 colours, which makes it a third as large.

The browser, which is there anyway, reads the picture and counts its colours. It must never change what can be read.
"""

import struct
import zlib
from base64 import b64decode, b64encode
from typing import Final

from playwright.async_api import Page

_INDEXED: Final = 3
_COUNT: Final = """async (png) => {
  const blob = await (await fetch('data:image/png;base64,' + png)).blob();
  const picture = await createImageBitmap(blob);
  const context = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
  context.drawImage(picture, 0, 0);
  const { data, width, height } = context.getImageData(0, 0, picture.width, picture.height);
  for (const step of [1, 3, 5, 15, 17, 51]) { // each divides 255: white stays white
    const places = new Map();
    const indices = new Uint8Array(width * height);
    for (let at = 0; at < indices.length && places.size <= 256; at += 1) {
      let colour = 0;
      for (let part = 0; part < 3; part += 1) colour = colour * 256 + Math.round(data[at * 4 + part] / step) * step;
      if (!places.has(colour)) places.set(colour, places.size);
      indices[at] = places.get(colour);
    }
    if (places.size > 256) continue;
    let text = '';
    for (let at = 0; at < indices.length; at += 8192) text += String.fromCharCode(...indices.subarray(at, at + 8192));
    return { width, height, colours: [...places.keys()], indices: btoa(text) };
  }
  return null; // cannot be: the last step leaves 216 colours
}"""


async def with_palette(png: bytes, page: Page) -> bytes:
    """Give the same picture with a palette; `page` is any page that may run a script, such as an empty one."""
    read = await page.evaluate(_COUNT, b64encode(png).decode())
    width, height, indices = read["width"], read["height"], b64decode(read["indices"])
    rows = b"".join([b"\0" + indices[start : start + width] for start in range(0, width * height, width)])
    colours = b"".join([colour.to_bytes(3) for colour in read["colours"]])
    head = struct.pack(">IIBBBBB", width, height, 8, _INDEXED, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", colours), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join([_chunk(kind, data) for kind, data in parts])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
