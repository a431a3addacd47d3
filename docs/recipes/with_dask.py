"""Tag the rows of Parquet files with Dask: on all cores of this machine, or on a cluster.

    pip install 'sotag-edge[arrow]' 'dask[distributed]' pandas
    python with_dask.py INPUT OUTPUT --text title --text body --model default

INPUT: a file or a folder. OUTPUT: a new folder, which appears when it is written whole. For a cluster, write
Client("tcp://HOST:8786") below, and name folders that all its machines have.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import dask.dataframe as dd
import pandas as pd
import pyarrow as pa
from dask.distributed import Client
from pyarrow.dataset import dataset

from sotag_edge import Classifier, SotagEdgeError, UsageError
from sotag_edge.arrow import tag_batch, tagged_schema
from sotag_edge.bundle import Bundle


def tag(frame: pd.DataFrame, text: list[str], bundle: Bundle) -> pd.DataFrame:
    """A partition with the answers in columns at its end. Each worker loads the model once."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
    tagged = [tag_batch(batch, text, model=bundle) for batch in table.to_batches()]
    schema = tagged_schema(table.schema, text, model=bundle)
    return pa.Table.from_batches(tagged, schema).to_pandas(types_mapper=pd.ArrowDtype)


def main() -> None:
    """Check, then read, tag and write part by part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input")
    parser.add_argument("output", type=Path)
    parser.add_argument("--text", action="append", metavar="COLUMN", help="a column of the text; may be repeated")
    parser.add_argument("--model", help="a name or a folder")
    options = parser.parse_args()
    if options.output.exists():  # Dask would mix old and new parts
        raise UsageError(f"{options.output} exists already: name a new folder")
    text, bundle, source = options.text or ["text"], Classifier.load(options.model).bundle, dataset(options.input)
    schema = tagged_schema(source.schema, text, model=bundle)  # refuses columns that it cannot tag
    with (
        Client(threads_per_worker=1, dashboard_address=None),
        tempfile.TemporaryDirectory(prefix=f".{options.output.name}-", dir=options.output.parent) as scratch,
    ):
        parts = Path(scratch, "parts")
        frame = dd.read_parquet(source.files, dtype_backend="pyarrow")  # pandas' own types change integers with nulls
        tagged = frame.map_partitions(tag, text, bundle, meta=tag(frame._meta, text, bundle))
        tagged.to_parquet(parts, schema=schema, write_index=False)
        parts.rename(options.output)


if __name__ == "__main__":
    try:
        main()
    except (SotagEdgeError, OSError) as error:
        sys.exit(f"with_dask: {error}")
