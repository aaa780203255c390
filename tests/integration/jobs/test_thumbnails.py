"""Thumbnails of real pictures, in real folders."""

import fcntl
import io
import os
import struct
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

from scheduler.errors import Refused
from scheduler.jobs.pictures.folders import Made, Plan, thumbnails
from scheduler.jobs.pictures.shrinking import Look
from scheduler.jobs.pictures.thumbnail_folder import NotWritten
from tests.support.needs import missing

RED, BLUE = (220, 20, 20), (20, 20, 220)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a folder of pictures."""
    root = tmp_path / "files"
    (root / "pictures" / "trip").mkdir(parents=True)
    return root


def halves(width: int = 400, height: int = 200, mode: str = "RGB") -> Image.Image:
    """A picture whose left half is red and whose right half is blue."""
    picture = Image.new("RGB", (width, height), RED)
    ImageDraw.Draw(picture).rectangle((width // 2, 0, width, height), fill=BLUE)
    return picture.convert(mode)


def made(root: Path, *, widths: tuple[int, ...] = (100,), **changed: Any) -> Made:
    """Make thumbnails of `pictures` in `small`."""
    look = Look(
        changed.pop("format", "same"),
        changed.pop("quality", 82),
        changed.pop("most_pixels", 1_000_000),
    )
    rest = {"pattern": "*", "most": 1000, "again": False, "dry_run": False, **changed}
    return thumbnails(
        (root, "pictures"),
        (root, "small"),
        Plan(widths, look=look, **rest),
        lambda done, total: None,
    )


def near(found: Any, wanted: tuple[int, int, int]) -> bool:
    """Whether two colours look the same."""
    return all(abs(one - other) < 25 for one, other in zip(found[:3], wanted, strict=True))


def below(folder: Path) -> list[str]:
    """Every file there, hidden ones too."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()
    )


def test_each_picture_is_made_in_each_width_and_none_larger_than_it_is(root: Path) -> None:
    halves().save(root / "pictures" / "a.jpg")
    halves(60, 30).save(root / "pictures" / "trip" / "b.png")
    (root / "pictures" / "notes.txt").write_text("no picture")
    done = made(root, widths=(100, 320))
    assert (done.pictures, done.made, done.unchanged, done.broken) == (2, 4, 0, 0)
    assert done.left == {"no picture, by its name": 1}
    assert below(root / "small") == ["100/a.jpg", "100/trip/b.png", "320/a.jpg", "320/trip/b.png"]
    sizes = {name: Image.open(root / "small" / name).size for name in below(root / "small")}
    assert list(sizes.values()) == [(100, 50), (60, 30), (320, 160), (60, 30)]
    with Image.open(root / "small" / "100" / "a.jpg") as small:
        assert (
            small.format,
            near(small.getpixel((10, 25)), RED),
            near(small.getpixel((90, 25)), BLUE),
        ) == (
            "JPEG",
            True,
            True,
        )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_thumbnail_stands_upright_whatever_way_the_camera_was_held(
    root: Path, orientation: int
) -> None:
    upright = halves(1600, 800)
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    held = upright.transpose(turns[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    held.save(root / "pictures" / "a.jpg", exif=exif)
    made(root, most_pixels=2_000_000)
    with Image.open(root / "small" / "100" / "a.jpg") as small:
        assert small.size == (100, 50)
        assert near(small.getpixel((10, 25)), RED)
        assert near(small.getpixel((90, 25)), BLUE)
        assert dict(small.getexif()) == {}


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
def test_no_metadata_is_left_in_any_format(root: Path, format: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", "a secret place")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    rest = (
        {"pnginfo": told}
        if format == "png"
        else {"comment": "a secret place"}
        if format == "jpeg"
        else {}
    )
    halves().save(root / "pictures" / f"a.{format}", exif=exif, icc_profile=profile, **rest)
    for wanted in ("same", "jpeg", "png", "webp"):
        made(root, format=wanted)
    files = below(root / "small")
    assert len(files) == 4
    for name in files:
        content = (root / "small" / name).read_bytes()
        assert b"secret" not in content
        with Image.open(io.BytesIO(content)) as small:
            assert not {"exif", "icc_profile", "comment", "Comment", "xmp"} & set(small.info)


def test_another_format_is_added_to_the_name_so_that_no_two_pictures_have_one_thumbnail(
    root: Path,
) -> None:
    halves().save(root / "pictures" / "a.jpg")
    halves().save(root / "pictures" / "a.png")
    halves().save(root / "pictures" / "a.png.webp")
    made(root, format="webp")
    assert below(root / "small" / "100") == ["a.jpg.webp", "a.png.webp", "a.png.webp.webp"]
    assert {Image.open(path).format for path in (root / "small" / "100").iterdir()} == {"WEBP"}


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("format", ["same", "jpeg", "png", "webp"])
def test_pictures_of_every_mode_come_out_in_every_format(
    root: Path, mode: str, format: str
) -> None:
    if mode == "I;16":
        picture = Image.new("I;16", (400, 200), 40_000)
    else:
        picture = halves(mode="RGBA").convert(mode) if mode in ("LA", "RGBA") else halves(mode=mode)
    name = "a.jpg" if mode == "CMYK" else "a.png"
    picture.save(root / "pictures" / name)
    assert made(root, format=format).made == 1
    with Image.open(next((root / "small" / "100").iterdir())) as small:
        assert small.size == (100, 50)
        left = small.convert("RGB").getpixel((10, 25))
        assert mode in ("1", "L", "LA") or near(left, (156, 156, 156) if mode == "I;16" else RED)


def test_what_shines_through_becomes_white_in_a_jpeg_and_stays_in_others(root: Path) -> None:
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(root / "pictures" / "a.png")
    made(root, format="jpeg")
    made(root)
    with (
        Image.open(root / "small" / "100" / "a.png.jpg") as white,
        Image.open(root / "small" / "100" / "a.png") as clear,
    ):
        assert near(white.getpixel((5, 5)), (255, 255, 255))
        assert clear.convert("RGBA").getpixel((5, 5))[3] == 0


def test_of_a_moving_gif_the_first_image_is_taken(root: Path) -> None:
    frames = [Image.new("RGB", (200, 100), colour) for colour in (RED, BLUE)]
    frames[0].save(root / "pictures" / "a.gif", save_all=True, append_images=frames[1:])
    made(root)
    with Image.open(root / "small" / "100" / "a.gif") as small:
        assert (small.n_frames, small.size, near(small.convert("RGB").getpixel((5, 5)), RED)) == (
            1,
            (100, 50),
            True,
        )


def test_a_picture_that_has_not_changed_is_left_alone_and_one_that_has_is_made_anew(
    root: Path,
) -> None:
    picture, small = root / "pictures" / "a.png", root / "small" / "100" / "a.png"
    halves().save(picture)
    assert made(root).made == 1
    first = small.stat()
    again = made(root)
    assert (again.made, again.unchanged, small.stat().st_ino) == (0, 1, first.st_ino)
    Image.new("RGB", (400, 200), BLUE).save(picture)
    os.utime(picture, ns=(1, first.st_mtime_ns - 10**9))
    assert made(root).made == 1
    assert near(Image.open(small).getpixel((10, 10)), BLUE)
    assert made(root, widths=(100, 50)).made == 1
    assert made(root, again=True).made == 1


def png(width: int, height: int) -> bytes:
    """A PNG that says it is so large, in few bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def test_broken_pictures_and_bombs_are_told_and_the_others_are_made(root: Path) -> None:
    folder = root / "pictures"
    halves().save(folder / "good.jpg")
    whole = (folder / "good.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.png").touch()
    (folder / "text.gif").write_text("no picture at all")
    (folder / "disguised.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    for name, side in (("large.png", 1001), ("bomb.png", 10_000), ("megabomb.png", 60_000)):
        (folder / name).write_bytes(png(side, side))
    done = made(root)
    problems = {problem["picture"]: problem["problem"] for problem in done.problems}
    assert (done.pictures, done.made, done.broken, done.whole) == (8, 1, 7, 1)
    assert below(root / "small") == ["100/good.jpg"]
    assert problems["large.png"] == "has more than 1 megapixels: 1001 × 1001"
    assert problems["bomb.png"].startswith("has more than 1 megapixels")
    assert problems["megabomb.png"].startswith("has more than 1 megapixels")
    assert "truncated" in problems["cut.jpg"]
    for name in ("empty.png", "text.gif", "disguised.png"):
        assert problems[name] == "is not a JPEG, PNG, WebP or GIF picture"


def test_a_dry_run_makes_nothing_not_even_a_folder_and_says_the_same(root: Path) -> None:
    halves().save(root / "pictures" / "a.jpg")
    trial = made(root, dry_run=True, widths=(50, 100))
    assert not (root / "small").exists()
    done = made(root, widths=(50, 100))
    assert (trial.pictures, trial.made) == (done.pictures, done.made) == (1, 2)
    assert made(root, dry_run=True).unchanged == 1


def test_no_more_pictures_than_the_cap_are_worked_on_and_the_next_run_goes_on(root: Path) -> None:
    for name in "abc":
        halves().save(root / "pictures" / f"{name}.jpg")
    first, second = made(root, most=2), made(root, most=2)
    assert (first.made, first.capped) == (2, True)
    assert (second.made, second.unchanged, second.capped) == (1, 2, False)


def test_links_are_followed_neither_to_pictures_nor_to_a_place_for_thumbnails(
    root: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    halves().save(outside / "secret.jpg")
    (root / "pictures" / "link.jpg").symlink_to(outside / "secret.jpg")
    (root / "pictures" / "door").symlink_to(outside)
    done = made(root)
    assert (done.pictures, done.left) == (0, {"links": 2})
    halves().save(root / "pictures" / "a.jpg")
    (root / "small" / "100").symlink_to(outside)
    with pytest.raises(Refused, match="links are not followed"):
        made(root)
    (root / "small" / "100").unlink()
    (root / "small" / "100").mkdir()
    (root / "small" / "100" / "a.jpg").symlink_to(outside / "secret.jpg")
    (root / "small" / "100" / ".a.jpg.part").symlink_to(outside / "new.jpg")
    with pytest.raises(NotWritten, match="cannot be written"):
        made(root)
    (root / "small" / "100" / ".a.jpg.part").unlink()
    assert made(root).made == 1
    assert not (root / "small" / "100" / "a.jpg").is_symlink()
    assert below(outside) == ["secret.jpg"]
    assert Image.open(outside / "secret.jpg").size == (400, 200)


@pytest.mark.parametrize("target", ["pictures", "", ".", "pictures/..", "/etc/other"])
def test_thumbnails_never_stand_among_the_pictures_or_elsewhere(root: Path, target: str) -> None:
    halves().save(root / "pictures" / "a.jpg")
    plan = Plan((100,), "*", Look("same", 82, 10**6), 10, again=False, dry_run=False)
    with pytest.raises(Refused, match="to_folder: "):
        thumbnails((root, "pictures"), (root, target), plan, lambda done, total: None)
    assert below(root) == ["pictures/a.jpg"]


def test_thumbnails_below_the_folder_of_the_pictures_are_not_taken_for_pictures(root: Path) -> None:
    halves().save(root / "pictures" / "a.jpg")
    plan = Plan((100,), "*", Look("same", 82, 10**6), 10, again=False, dry_run=False)
    for _ in range(2):
        thumbnails((root, "pictures"), (root, "pictures/small"), plan, lambda done, total: None)
    assert below(root / "pictures") == ["a.jpg", "small/100/a.jpg"]


def test_what_a_killed_run_has_left_is_written_over_and_what_another_is_writing_is_not(
    root: Path,
) -> None:
    halves().save(root / "pictures" / "a.jpg")
    (root / "small" / "100").mkdir(parents=True)
    part = root / "small" / "100" / ".a.jpg.part"
    part.write_bytes(b"half" * 10**5)
    with part.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(NotWritten, match="another run"):
            made(root)
    assert made(root).made == 1
    assert below(root / "small") == ["100/a.jpg"]
    assert Image.open(root / "small" / "100" / "a.jpg").size == (100, 50)


@pytest.fixture
def small_disk(root: Path) -> Iterator[Path]:
    """The thumbnails are on a disk of 64 kB."""
    place = root / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "beatdesk-test", str(place)]
    if (
        os.geteuid() != 0
        or subprocess.run(command, capture_output=True, check=False).returncode != 0
    ):
        missing("only root may mount another disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_ends_the_run_and_leaves_no_half_thumbnail(
    root: Path, small_disk: Path
) -> None:
    for number in range(10):
        Image.effect_noise((300, 300), 90).save(root / "pictures" / f"{number}.png")
    with pytest.raises(NotWritten, match="No space left on device; nothing of it was kept"):
        made(root, widths=(150,))
    names = below(small_disk)
    assert 1 <= len(names) < 10
    assert not [name for name in names if name.endswith(".part")]
    for name in names:
        Image.open(small_disk / name).load()
