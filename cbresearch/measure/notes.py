"""What a result warns of, as one text."""

from __future__ import annotations

from cbresearch.records import Text


def joined(*notes: Text | None) -> Text | None:
    """The notes there are, one after the other; None where there is none."""
    there = [note for note in notes if note is not None]
    if not there:
        return None
    return Text("".join(note.zh for note in there), " ".join(note.en for note in there))
