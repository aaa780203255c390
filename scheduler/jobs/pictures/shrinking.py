"""One picture made smaller, from an open file to bytes.

The orientation and the colour profile are applied; all other data beside the pixels (EXIF with
places and names, comments) is dropped.
"""

import io
import warnings
from collections.abc import Sequence
from typing import BinaryIO, Literal, NamedTuple

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from scheduler.errors import BeatdeskError

Format = Literal["same", "jpeg", "png", "webp"]

READABLE = ("JPEG", "PNG", "WEBP", "GIF")
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif")
TURNED = (5, 6, 7, 8)
"""EXIF's orientations with width and height swapped."""

_ORIENTATION = 0x0112


class PictureBroken(BeatdeskError):
    """The picture cannot be read."""


class Look(NamedTuple):
    """Format and quality of thumbnails, and the most pixels of a picture."""

    format: Format
    quality: int
    most_pixels: int

    def name_of(self, picture: str) -> str:
        """The thumbnail's file name, different for each picture: a wanted format is added to the
        whole name.
        """
        if self.format == "same":
            return picture
        return f"{picture}.{self.format.replace('jpeg', 'jpg')}"


def shrunk(file: BinaryIO, widths: Sequence[int], look: Look) -> dict[int, bytes]:
    """The encoded picture by width; a smaller picture keeps its width. Raises PictureBroken, also
    for too many pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=READABLE) as picture:
                return _shrunk(picture, widths, look)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureBroken(_too_large(look.most_pixels)) from None
    except UnidentifiedImageError:
        raise PictureBroken("is not a JPEG, PNG, WebP or GIF picture") from None
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        IndexError,
        KeyError,
        TypeError,
        OverflowError,
    ) as error:
        # The errors of Pillow's decoders for broken files; the file is open, so none is missing.
        raise PictureBroken(f"cannot be read: {str(error)[:200] or type(error).__name__}") from None


def _shrunk(picture: Image.Image, widths: Sequence[int], look: Look) -> dict[int, bytes]:
    if picture.width * picture.height > look.most_pixels:
        raise PictureBroken(f"{_too_large(look.most_pixels)}: {picture.width} × {picture.height}")
    format = picture.format if look.format == "same" else look.format
    turned = picture.getexif().get(_ORIENTATION) in TURNED
    width = min(max(widths), picture.height if turned else picture.width)
    rough = _scaled((picture.height, picture.width) if turned else picture.size, width)
    # JPEG's decoder can leave out details that the size does not need.
    picture.draft(None, rough[::-1] if turned else rough)
    upright = _plain(ImageOps.exif_transpose(picture))
    made = {}
    for each in widths:
        small = upright.resize(
            _scaled(upright.size, min(each, upright.width)), Image.Resampling.LANCZOS
        )
        small.info.clear()
        made[each] = _encoded(small, str(format).upper(), look.quality)
    return made


def _scaled(size: tuple[int, int], width: int) -> tuple[int, int]:
    return width, max(1, round(size[1] * width / size[0]))


def _plain(picture: Image.Image) -> Image.Image:
    """The pixels in grey or in sRGB, with transparency if there is any."""
    if picture.mode.startswith("I;16"):
        picture = picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    picture = _in_srgb(picture)
    if picture.mode in ("L", "RGB") and "transparency" not in picture.info:
        return picture
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _in_srgb(picture: Image.Image) -> Image.Image:
    """The picture with its colour profile applied; a broken profile is ignored."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "CMYK"):
        return picture
    try:
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        done = ImageCms.profileToProfile(
            picture, embedded, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    return done or picture


def _encoded(picture: Image.Image, format: str, quality: int) -> bytes:
    """The encoded picture. JPEG has no transparency: its background becomes white."""
    into = io.BytesIO()
    if format == "JPEG":
        if picture.mode == "RGBA":
            white = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(white, picture).convert("RGB")
        picture.save(into, "JPEG", quality=quality, optimize=True, progressive=True)
    elif format == "WEBP":
        picture.save(into, "WEBP", quality=quality)
    else:
        picture.save(into, format, optimize=True)
    return into.getvalue()


def _too_large(most_pixels: int) -> str:
    return f"has more than {most_pixels / 1e6:,.0f} megapixels"
