"""Tag the rows of Parquet files with pandas: in this process, with all rows in memory.

    pip install 'sotag-edge[arrow]' pandas
    python with_pandas.py INPUT OUTPUT --text title --text body --model default

INPUT: a file or a folder. OUTPUT: a new file, which appears when it is written whole. In a program of yours, call ``tag``.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import pandas as pd
import pyarrow as pa

from sotag_edge import Classifier, SotagEdgeError, UsageError
from sotag_edge.arrow import Model, tag_batch, tagged_schema


def tag(frame: pd.DataFrame, text: list[str], model: Model = None) -> pd.DataFrame:
    """The frame with the answers in columns at its end."""
    names = pa.schema([(str(name), pa.null()) for name in frame.columns])
    added = tagged_schema(names, text, model=model).names[len(names) :]  # refuses to replace a column
    table = pa.table({name: texts(frame[name]) for name in text})
    tagged = [tag_batch(batch, text, model=model) for batch in table.to_batches()]
    answers = pa.Table.from_batches(tagged, tagged_schema(table.schema, text, model=model)).select(added)
    return pd.concat([frame, answers.to_pandas(types_mapper=pd.ArrowDtype).set_axis(frame.index)], axis=1)


def texts(column: pd.Series) -> pa.Array:
    """Objects of any type as texts: one that is none, such as a number or NaN, is null, which is an error in its row."""
    if column.dtype != object:
        return pa.array(column)
    values = [value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value for value in column]
    return pa.array([value if isinstance(value, bytes) else None for value in values], pa.large_binary())


def main() -> None:
    """Read, tag, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--text", action="append", metavar="COLUMN", help="a column of the text; may be repeated")
    parser.add_argument("--model", help="a name or a folder")
    options = parser.parse_args()
    if options.output.exists():
        raise UsageError(f"{options.output} exists already: name a new file")
    bundle = Classifier.load(options.model).bundle
    frame = pd.read_parquet(options.input, dtype_backend="pyarrow")  # pandas' own types change integers with nulls
    tagged = tag(frame, options.text or ["text"], bundle)
    with tempfile.TemporaryDirectory(prefix=f".{options.output.name}-", dir=options.output.parent) as scratch:
        tagged.to_parquet(Path(scratch, "part.parquet"))
        Path(scratch, "part.parquet").rename(options.output)


if __name__ == "__main__":
    try:
        main()
    except (SotagEdgeError, OSError) as error:
        sys.exit(f"with_pandas: {error}")
