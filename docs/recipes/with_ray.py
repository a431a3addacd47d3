"""Tag the rows of Parquet files with Ray Data: on all cores of this machine, or on a cluster.

    pip install 'sotag-edge[arrow]' 'ray[data]'
    python with_ray.py INPUT OUTPUT --text title --text body --model default

INPUT: a file or a folder. OUTPUT: a new folder, which appears when it is written whole. For a cluster, set RAY_ADDRESS to
HOST:6379, and name folders that all its machines have.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
from pyarrow.dataset import dataset

from sotag_edge import Classifier, SotagEdgeError, UsageError
from sotag_edge.arrow import tag_batch, tagged_schema
from sotag_edge.bundle import Bundle

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
import ray


def tag(table: pa.Table, text: list[str], bundle: Bundle) -> pa.Table:
    """Some rows with the answers in columns at their end. Each worker loads the model once."""
    tagged = [tag_batch(batch, text, model=bundle) for batch in table.to_batches()]
    return pa.Table.from_batches(tagged, tagged_schema(table.schema, text, model=bundle))


def main() -> None:
    """Check, then read, tag and write part by part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input")
    parser.add_argument("output", type=Path)
    parser.add_argument("--text", action="append", metavar="COLUMN", help="a column of the text; may be repeated")
    parser.add_argument("--model", help="a name or a folder")
    options = parser.parse_args()
    if options.output.exists():  # Ray would add to it
        raise UsageError(f"{options.output} exists already: name a new folder")
    text, bundle, source = options.text or ["text"], Classifier.load(options.model).bundle, dataset(options.input)
    tagged_schema(source.schema, text, model=bundle)  # refuses columns that it cannot tag; Ray would replace ours
    with tempfile.TemporaryDirectory(prefix=f".{options.output.name}-", dir=options.output.parent) as scratch:
        parts = Path(scratch, "parts")
        parts.mkdir()  # without rows Ray writes none
        ray.init(include_dashboard=False)
        rows = ray.data.read_parquet(options.input)
        arguments = {"text": text, "bundle": bundle}
        tagged = rows.map_batches(tag, batch_size=None, batch_format="pyarrow", fn_kwargs=arguments)
        tagged.write_parquet(str(parts))
        if dataset(parts).count_rows() != source.count_rows():  # a half file cannot be read at all
            raise SotagEdgeError(f"the parts do not have the rows of {options.input}: nothing was written")
        parts.rename(options.output)


if __name__ == "__main__":
    try:
        main()
    except (SotagEdgeError, OSError) as error:
        sys.exit(f"with_ray: {error}")
