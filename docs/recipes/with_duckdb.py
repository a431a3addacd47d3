"""Tag the rows of Parquet files with DuckDB: in this process, on all cores, in a stream; a function in SQL.

    pip install 'sotag-edge[arrow]' duckdb
    python with_duckdb.py INPUT OUTPUT --text title --text body --model default

INPUT: a file or a folder. OUTPUT: a new file, which appears when it is written whole.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa
from pyarrow.dataset import dataset

from sotag_edge import Classifier, SotagEdgeError, UsageError
from sotag_edge.arrow import tag_batch, tagged_schema


def main() -> None:
    """Check, then read, tag and write in a stream."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input")
    parser.add_argument("output", type=Path)
    parser.add_argument("--text", action="append", metavar="COLUMN", help="a column of the text; may be repeated")
    parser.add_argument("--model", help="a name or a folder")
    options = parser.parse_args()
    if options.output.exists():
        raise UsageError(f"{options.output} exists already: name a new file")
    text, bundle, source = options.text or ["text"], Classifier.load(options.model).bundle, dataset(options.input)
    schema = tagged_schema(source.schema, text, model=bundle)  # refuses columns that it cannot tag
    added = schema.names[len(source.schema) :]

    def tag(*columns: pa.ChunkedArray) -> pa.ChunkedArray:
        """The answers as structs. Called by several threads at once, which share one classifier."""
        table = pa.table(columns, names=text)
        tagged = [tag_batch(batch, text, model=bundle) for batch in table.to_batches()]
        return pa.Table.from_batches(tagged).select(added).to_struct_array()

    with duckdb.connect() as connection:
        rows = connection.read_parquet(source.files)
        columns = ", ".join('"' + name.replace('"', '""') + '"' for name in text)
        answer = connection.from_arrow(schema.empty_table().select(added))
        answer_type = connection.struct_type(dict(zip(added, answer.types, strict=True)))
        # "special": DuckDB would not ask about a null, which is an error in its row.
        connection.create_function("tag", tag, None, answer_type, type="arrow", null_handling="special")
        with tempfile.TemporaryDirectory(prefix=f".{options.output.name}-", dir=options.output.parent) as scratch:
            part = Path(scratch, "part.parquet")
            rows.project(f"*, UNNEST(tag({columns}))").write_parquet(str(part))
            part.rename(options.output)


if __name__ == "__main__":
    try:
        main()
    except (SotagEdgeError, OSError, duckdb.Error) as error:
        sys.exit(f"with_duckdb: {error}")
