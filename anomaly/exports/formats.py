"""The formats there are, by name: how each is called, sent, and written."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from anomaly.exports.childproject import childproject_of
from anomaly.exports.fhir import fhir_of
from anomaly.exports.open_mhealth import open_mhealth_of
from anomaly.exports.tables import csv_of, parquet_of
from anomaly.selectors.exported import Taken


@dataclass(frozen=True)
class Format:
    """One format; `write` yields a file of it in pieces, whose size does not depend on its."""

    name: str
    media_type: str
    suffix: str
    write: Callable[[Taken], Iterator[bytes]]

    def file_name(self, whose: object) -> str:
        """Return what a file of it is called: no name of a person is in it."""
        return f"iclas-{whose}.{self.suffix}"


FORMATS: Mapping[str, Format] = {
    one.name: one
    for one in (
        Format("csv", "text/csv; charset=utf-8", "csv", csv_of),
        Format("parquet", "application/vnd.apache.parquet", "parquet", parquet_of),
        Format("childproject", "application/zip", "childproject.zip", childproject_of),
        Format("fhir", "application/fhir+json", "fhir.json", fhir_of),
        Format("open-mhealth", "application/x-ndjson", "omh.ndjson", open_mhealth_of),
    )
}
