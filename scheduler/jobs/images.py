"""The job for thumbnails of a folder's pictures, in another folder."""

from typing import Annotated, Any, Literal

from pydantic import Field

from scheduler.errors import BeatdeskError
from scheduler.job import job, run
from scheduler.jobs.parameters import Parameters
from scheduler.jobs.pictures.folders import Made, Plan, thumbnails
from scheduler.jobs.pictures.shrinking import Look
from scheduler.jobs.roots import chosen_root, refuse_own_folder
from scheduler.services.process import current_services


class PicturesBroken(BeatdeskError):
    """No thumbnails could be made of some pictures."""


class Thumbnails(Parameters):
    """Parameters of `images.thumbnails`."""

    root: Annotated[str, Field(min_length=1)] = Field(
        description="One folder of BEATDESK_FILE_ROOTS, by its path or its last name"
    )
    folder: str = Field(
        default="",
        description="The folder of the pictures below the root; by default the root itself",
    )
    to_root: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        description="Another folder of BEATDESK_FILE_ROOTS for the thumbnails; by default the same",
    )
    to_folder: Annotated[str, Field(min_length=1)] = Field(
        description="The folder of the thumbnails below its root, with one folder for each "
        "size; made if missing"
    )
    sizes: Annotated[
        list[Annotated[int, Field(ge=16, le=4096)]], Field(min_length=1, max_length=8)
    ] = Field(
        default=[320, 1280], description="Widths in pixels; smaller pictures are not enlarged"
    )
    pattern: Annotated[str, Field(min_length=1, max_length=255)] = Field(
        default="*",
        description="Names of the pictures: * stands for anything, ? for one character; case "
        "counts",
    )
    format: Literal["same", "jpeg", "png", "webp"] = Field(
        default="same",
        description="Format of the thumbnails; a format other than the picture's is added "
        "to the name",
    )
    quality: Annotated[int, Field(ge=1, le=95)] = Field(
        default=82, description="Quality of JPEG and WebP"
    )
    max_megapixels: Annotated[int, Field(ge=1, le=85)] = Field(
        default=50,
        description="Refuse pictures with more pixels: they take 4 MB of memory for each million",
    )
    most: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=10_000, description="Stop after so many pictures; the next run goes on"
    )
    again: bool = Field(
        default=False,
        description="Make existing thumbnails again too, for example in another quality",
    )
    strict: bool = Field(
        default=False,
        description="Fail the run for a single broken picture, not only if all are broken",
    )
    dry_run: bool = Field(default=False, description="Make nothing, and report what would be made")


@job("images.thumbnails", title="Make thumbnails", params=Thumbnails, queue="bulk")
def make(params: Thumbnails) -> dict[str, Any]:
    """Make smaller copies of the JPEG, PNG, WebP and GIF pictures below a folder of
    BEATDESK_FILE_ROOTS.

    The copies are turned upright by EXIF, and carry no metadata; a GIF gives its first image. A
    thumbnail has the time of its picture, so an unchanged picture is left alone next time. The
    result lists broken and too large pictures; the others are made. Links are not followed.
    """
    settings = current_services().settings
    root = chosen_root(settings.file_roots, params.root)
    to_root = chosen_root(settings.file_roots, params.to_root or params.root)
    for each in (root, to_root):
        refuse_own_folder(each, settings.data_dir)
    look = Look(params.format, params.quality, params.max_megapixels * 1_000_000)
    plan = Plan(
        tuple(sorted(set(params.sizes))),
        params.pattern,
        look,
        params.most,
        params.again,
        params.dry_run,
    )
    done = thumbnails((root, params.folder), (to_root, params.to_folder), plan, _tell)
    if done.broken and (params.strict or not done.whole):
        raise PicturesBroken(_complaint(done))
    return {
        "made": 0 if params.dry_run else done.made,
        "would_make": done.made,
        "unchanged": done.unchanged,
        "pictures": done.pictures,
        "broken": done.broken,
        "problems": done.problems,
        "left": done.left,
        "bytes": done.bytes,
        "more": done.capped,
        "dry_run": params.dry_run,
    }


def _tell(done: Made, total: int) -> None:
    run.progress(
        done.pictures, total, f"{done.pictures:,} of {total:,} pictures, {done.made:,} thumbnails"
    )


def _complaint(done: Made) -> str:
    problems = "; ".join(
        f"{problem['picture']}: {problem['problem']}" for problem in done.problems[:3]
    )
    others = f"; {done.made:,} thumbnails of others were made" if done.made else ""
    counts = f"{done.broken:,} of {done.pictures:,} pictures could not be made smaller"
    return f"{counts} ({problems}){others}"
