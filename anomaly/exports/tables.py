"""Tables of recordings: CSV, and Parquet with the same columns, typed.

Guaranteed: in CSV no cell is taken for a formula, a time is RFC 3339 in UTC, a flag is true or
false, and what is not known is empty; Parquet holds a row group every `GROUP_ROWS` rows.
"""

import csv
import datetime as dt
from collections.abc import Iterator
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING, Any

from anomaly.exports.columns import COLUMNS, Kind, Value, values_of
from anomaly.exports.sink import Sink
from anomaly.notice import NOTICE
from anomaly.selectors.exported import Taken

if TYPE_CHECKING:
    import pyarrow as pa

GROUP_ROWS = 1_000
PIECE_ROWS = 200
FORMULA = ("=", "+", "-", "@", "\t", "\r")
Row = list[Value]


def csv_of(taken: Taken) -> Iterator[bytes]:
    """Yield a CSV file."""
    yield _lines([[column.name for column in COLUMNS]])
    for rows in _pieces(taken, PIECE_ROWS):
        yield _lines([[_cell(value) for value in row] for row in rows])


def parquet_of(taken: Taken) -> Iterator[bytes]:
    """Yield a Parquet file, a row group at a time."""
    import pyarrow as pa  # the web process and the workers have no need of it
    import pyarrow.parquet as pq

    sink = Sink()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), _schema(pa)) as writer:
        for group in arrow_of(taken):
            writer.write_table(group)
            yield sink.taken()
    if rest := sink.taken():
        yield rest


def arrow_of(taken: Taken) -> Iterator["pa.Table"]:
    """Yield the rows as Arrow tables of up to `GROUP_ROWS`; an empty one where there are none."""
    import pyarrow as pa

    schema = _schema(pa)
    made = schema.empty_table()
    for rows in _pieces(taken, GROUP_ROWS):
        made = pa.table(list(zip(*rows, strict=True)), schema=schema)
        rows.clear()  # or the next group would be made while this one is held
        yield made
    if not len(made):
        yield made


def _schema(pa: Any) -> Any:  # noqa: ANN401  the library has no types
    """Return the columns as Parquet knows them."""
    kinds = {
        Kind.TEXT: pa.string(),
        Kind.TIME: pa.timestamp("us", tz="UTC"),
        Kind.REAL: pa.float64(),
        Kind.COUNT: pa.int64(),
        Kind.FLAG: pa.bool_(),
    }
    fields = [pa.field(column.name, kinds[column.kind]) for column in COLUMNS]
    return pa.schema(fields, metadata={"iclas.notice": NOTICE})


def _pieces(taken: Taken, length: int) -> Iterator[list[Row]]:
    rows = (values_of(*row) for row in taken.rows())
    while piece := list(islice(rows, length)):
        yield piece


def _lines(rows: list[Row] | list[list[str]]) -> bytes:
    file = StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue().encode()


def _cell(value: Value) -> Value:
    """Return a value as CSV shows it; no spreadsheet takes it for a formula."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return utc(value)
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


def utc(moment: dt.datetime) -> str:
    """Return a moment as RFC 3339 says it, in UTC."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
