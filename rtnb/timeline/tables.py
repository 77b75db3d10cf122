"""A timeline as plain records and as a DataFrame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from rtnb.timeline.categorical import Categorical
from rtnb.timeline.view import View

if TYPE_CHECKING:
    import pandas


def encodable(text: str) -> str:
    """Return `text` with lone surrogates spelled out: a table may hold them, UTF-8 may not."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def to_records(view: View) -> list[dict[str, Any]]:
    """Return one dict of plain Python values per row; NaN and NaT become None, times ISO 8601 in UTC."""
    columns = {name: _plain(view[name]) for name in view.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(column: Any) -> list[Any]:
    if isinstance(column, Categorical):
        return _encodable(column).tolist()  # type: ignore[no-any-return]
    if column.dtype.kind == "M":
        return [None if np.isnat(each) else f"{each}Z" for each in column]
    if column.dtype.kind == "f":
        return [each if math.isfinite(each) else None for each in column.tolist()]
    return [encodable(each) if isinstance(each, str) else each for each in column.tolist()]


def _encodable(column: Categorical) -> Any:
    return column.mapped([encodable(word) for word in column.categories], object)


def to_pandas(view: View) -> pandas.DataFrame:
    """Return a DataFrame with a column for each of the view's.

    Raises
    ------
    ImportError
        If pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            'to_pandas() needs pandas: pip install "rtnb[data]". to_records() works without it.'
        ) from error
    frame: dict[str, Any] = {}
    for name in view.columns:
        column = view[name]
        if isinstance(column, Categorical):
            frame[name] = pandas.Categorical(_encodable(column))
        elif name == "time":
            frame[name] = pandas.Series(column).dt.tz_localize("UTC")
        elif column.dtype == object:
            frame[name] = np.array([encodable(each) for each in column], object)
        else:
            frame[name] = column
    return pandas.DataFrame(frame)
