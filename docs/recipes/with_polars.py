"""Tag the rows of Parquet files with Polars: in this process, on all cores, in a stream.

    pip install 'sotag-edge[arrow]' polars
    python with_polars.py INPUT OUTPUT --text title --text body --model default

INPUT: a file or a folder. OUTPUT: a new file, which appears when it is written whole.
"""

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow as pa
from pyarrow.dataset import dataset

from sotag_edge import Classifier, SotagEdgeError, UsageError
from sotag_edge.arrow import tag_batch, tagged_schema
from sotag_edge.bundle import Bundle


def tag(frame: pl.DataFrame, text: list[str], bundle: Bundle) -> pl.DataFrame:
    """The frame with the answers in columns at its end. Called by several threads at once, which share one classifier."""
    table = frame.to_arrow()
    tagged = [tag_batch(batch, text, model=bundle) for batch in table.to_batches()]
    return pl.DataFrame(pa.Table.from_batches(tagged, tagged_schema(table.schema, text, model=bundle)))


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
    bundle = Classifier.load(options.model).bundle
    rows = pl.scan_parquet(dataset(options.input).files)
    tag_these = partial(tag, text=options.text or ["text"], bundle=bundle)
    schema = tag_these(rows.collect_schema().to_frame()).schema  # of an empty frame; refuses columns that it cannot tag
    with tempfile.TemporaryDirectory(prefix=f".{options.output.name}-", dir=options.output.parent) as scratch:
        part = Path(scratch, "part.parquet")
        rows.map_batches(tag_these, schema=schema, streamable=True).sink_parquet(part)
        part.rename(options.output)


if __name__ == "__main__":
    try:
        main()
    except (SotagEdgeError, OSError, pl.exceptions.PolarsError) as error:
        sys.exit(f"with_polars: {error}")
