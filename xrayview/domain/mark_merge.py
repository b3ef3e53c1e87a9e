"""Annotations of a film that several windows edit: ids, edits and merges.

Every mark has an id and the time of its last change, every deletion is remembered with its time.
So two versions of a film's annotations have one merged version, whichever is merged into which:
of each mark the later change wins.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from xrayview.domain.measurement import Annotation, FilmMarks

KEEP_DELETIONS_MS = 365 * 24 * 3600 * 1000
"""Deletions are forgotten after a year: longer than a window stays open."""


def identified(marks: FilmMarks) -> FilmMarks:
    """Give annotations without an id one that follows from their content.

    Windows that read the same file of an earlier version, which has no ids, agree on them.
    """
    if all(annotation.mark_id for annotation in marks.annotations):
        return marks
    seen: Counter[Annotation] = Counter()
    annotations = []
    for annotation in marks.annotations:
        if not annotation.mark_id:
            content = (annotation.kind.value, annotation.frame, annotation.points, annotation.text)
            text = repr((*content, seen[annotation]))
            digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
            annotation = replace(annotation, mark_id=digest[:32])
        seen[annotation] += 1
        annotations.append(annotation)
    return replace(marks, annotations=tuple(annotations))


def merged(first: FilmMarks, second: FilmMarks) -> FilmMarks:
    """Combine two versions of a film's annotations; the order is that of `first`."""
    first, second = identified(first), identified(second)
    newest: dict[str, Annotation] = {}
    for annotation in (*first.annotations, *second.annotations):
        known = newest.get(annotation.mark_id)
        if known is None or _rank(annotation) > _rank(known):
            newest[annotation.mark_id] = annotation
    deleted = merged_deletions(first.deleted, second.deleted)
    kept = {
        mark_id: annotation
        for mark_id, annotation in newest.items()
        if annotation.modified_ms > deleted.get(mark_id, -1)
    }
    latest = max(first, second, key=_calibration_rank)
    return FilmMarks(
        tuple(kept.values()),
        latest.calibration,
        latest.calibrated_ms,
        {mark_id: time_ms for mark_id, time_ms in deleted.items() if mark_id not in kept},
    )


def edited(current: FilmMarks, before: FilmMarks, after: FilmMarks, now_ms: int) -> FilmMarks:
    """Apply the difference between `before` and `after` to the current annotations.

    Marks that are equal in both stay as they are, also where another window has changed or
    deleted them since. What changes gets the time `now_ms`, or a later one where the clock lags
    behind the changes so far.
    """
    current, before, after = identified(current), identified(before), identified(after)
    now_ms = max(now_ms, _last_change_ms(current) + 1)
    old, new = _by_id(before), _by_id(after)
    removed = [mark_id for mark_id in old if mark_id not in new]
    marks = {i: a for i, a in _by_id(current).items() if i not in removed}
    deleted = {**current.deleted, **dict.fromkeys(removed, now_ms)}
    for mark_id, annotation in new.items():
        changed = replace(annotation, modified_ms=now_ms)
        if mark_id not in old:
            marks = _inserted(marks, changed, list(new))
            deleted.pop(mark_id, None)
        elif old[mark_id] != annotation and mark_id in marks:
            marks[mark_id] = changed
    is_calibrated = before.calibration != after.calibration
    return FilmMarks(
        tuple(marks.values()),
        after.calibration if is_calibrated else current.calibration,
        now_ms if is_calibrated else current.calibrated_ms,
        deleted,
    )


def without_old_deletions(marks: FilmMarks, now_ms: int) -> FilmMarks:
    """Forget deletions from long ago."""
    oldest_ms = now_ms - KEEP_DELETIONS_MS
    kept = {i: time_ms for i, time_ms in marks.deleted.items() if time_ms > oldest_ms}
    return marks if len(kept) == len(marks.deleted) else replace(marks, deleted=kept)


def is_blank(marks: FilmMarks) -> bool:
    """True where there is nothing to store: no mark, no calibration, and nothing was deleted."""
    return marks == FilmMarks() and not marks.deleted and not marks.calibrated_ms


def merged_deletions(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    """The last time at which each item was deleted."""
    return {key: max(first.get(key, 0), second.get(key, 0)) for key in {**first, **second}}


def _rank(annotation: Annotation) -> tuple[int, str]:
    # Equal times, such as the 0 of earlier versions, are decided alike in every window.
    return annotation.modified_ms, repr((annotation.points, annotation.text))


def _calibration_rank(marks: FilmMarks) -> tuple[int, bool, str]:
    return marks.calibrated_ms, marks.calibration is not None, repr(marks.calibration)


def _last_change_ms(marks: FilmMarks) -> int:
    times = (a.modified_ms for a in marks.annotations)
    return max((marks.calibrated_ms, *times, *marks.deleted.values()))


def _by_id(marks: FilmMarks) -> dict[str, Annotation]:
    return {annotation.mark_id: annotation for annotation in marks.annotations}


def _inserted(
    marks: dict[str, Annotation], annotation: Annotation, order: list[str]
) -> dict[str, Annotation]:
    """The marks with one more, which follows the same mark as in `order`."""
    before = order[: order.index(annotation.mark_id)]
    previous = next((mark_id for mark_id in reversed(before) if mark_id in marks), None)
    items = list(marks.items())
    i = 0 if previous is None else list(marks).index(previous) + 1
    return dict((*items[:i], (annotation.mark_id, annotation), *items[i:]))
