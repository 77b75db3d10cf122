"""What the service says where it could not hear or see: the truth, and what would help."""

from __future__ import annotations

from rtnb.service.session.held_item import HeldItem


def excuse(held: HeldItem) -> tuple[str, bool]:
    """Return what is to be said before an answer to a user's message, and whether there is anything to answer then."""
    said = ""
    if held.images:
        one = held.images == 1
        said = f"I cannot see the image{'' if one else 's'}: this local service has no eyes. "
    if held.sounds and not held.text and (held.problem or held.pending):
        return said + _unheard(held), False
    return said, bool(held.text or not held.images)


def _unheard(held: HeldItem) -> str:
    heard = f"I heard {held.seconds:.1f} seconds of speech, but "
    if held.pending:
        return f"{heard}it was not written down in time. Please say it again, in shorter pieces."
    return f"{heard}I cannot understand it. {held.problem}"
