"""`Following`: which rows belong to one response, item, call or event, found as the rows come."""

from __future__ import annotations

import numpy as np
import orjson

from rtnb.timeline.categorical import Categorical, Mask
from rtnb.timeline.view import View


class Following:
    """The rows that belong to an id.

    They are those that carry the id as their response's, item's or own, those of the items that belong to it if it is a
    response, and those whose frame names it anywhere: a call's result names the call, an error the event that it is about.

    Parameters
    ----------
    identifier : str
        A whole id.
    """

    def __init__(self, identifier: str) -> None:
        self.identifier = identifier
        self._items = {identifier}
        # Looked for between quotation marks, so that item_1 is not found in item_12.
        self._quoted = orjson.dumps(identifier.encode("utf-8", "replace").decode())

    def mask(self, part: View) -> Mask:
        """Return which rows of `part` belong to the id; the parts of a timeline come in its order, each once."""
        responses: Categorical = part["response_id"]
        items: Categorical = part["item_id"]
        of_response = responses == self.identifier
        self._items.update(word for word in items[of_response].unique() if word)
        named = np.fromiter((self._names(part, seq) for seq in part["seq"].tolist()), bool, len(part))
        return np.asarray(of_response | items.isin(self._items) | named)

    def _names(self, part: View, seq: int) -> bool:
        return self._quoted in part.words_of_frame(seq)
