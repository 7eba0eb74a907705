"""What people want done with clips: delete, keep, note where they were shared. In the store's thread."""

from collections.abc import Callable
from dataclasses import dataclass

from .model import Clip
from .placing import Placer


@dataclass(frozen=True, slots=True)
class Deleted:
    """Clips that are gone, and those that were not deleted: protected, shared, held, or not there."""

    deleted: tuple[str, ...]
    refused: tuple[str, ...]
    unknown: tuple[str, ...]


def delete_clips(placer: Placer, clip_ids: list[str], *, force: bool) -> Deleted:
    """Delete clips; protected, shared and held ones only with `force`."""
    found = {clip_id: placer.catalogue.get(clip_id) for clip_id in dict.fromkeys(clip_ids)}
    clips = [clip for clip in found.values() if clip is not None]
    gone = placer.delete(
        [clip for clip in clips if force or not (clip.protected or clip.shared or clip.held)]
    )
    return Deleted(
        deleted=tuple(gone),
        refused=tuple(clip.id for clip in clips if clip.id not in gone),
        unknown=tuple(clip_id for clip_id, clip in found.items() if clip is None),
    )


def change_clips(placer: Placer, clip_ids: list[str], change: Callable[[Clip], Clip]) -> list[Clip]:
    """Change what became of clips; return those that exist, as they are now."""
    changed: list[Clip] = []
    for clip_id in clip_ids:
        if (before := placer.catalogue.get(clip_id)) is None:
            continue
        clip = change(before)
        placer.storage.note(clip)  # first: what a rebuild finds may know more than the rows, never less
        placer.catalogue.set_flags(clip)
        changed.append(clip)
    return changed
