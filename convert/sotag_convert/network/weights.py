"""``model.keras`` -> the arrays of weights in it, and nothing else.

The file may be anybody's. It is a zip with an HDF5 file, which can name other files as the place of its data, claim any
size, and crash a parser. So only the expected arrays are looked at, each is checked before it is read, and ``main`` does
it in a process of its own (see export/stranger.py). ``config.json`` in the zip, which could name code, is never opened.
"""

from __future__ import annotations

import base64
import io
import json
import math
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = list[NDArray[np.float32]]
Shapes = Mapping[str, tuple[int, ...]]
"""The name of each array in the HDF5 file, in the order of the network's weights, and its shape."""

_HDF5 = "model.weights.h5"
_LARGEST = {"config.json": 1 << 20, "metadata.json": 1 << 16}  # bytes
_MARGIN = 1 << 20  # bytes of an HDF5 file besides its numbers; Keras writes about 30,000


def read_weights(path: Path, shapes: Shapes) -> Weights:
    """The arrays of these names and shapes in a ``model.keras``.

    Raises ``ValueError`` if the file is not what this project writes, or another exception of the parsers.
    """
    import h5py

    with h5py.File(io.BytesIO(_hdf5(path, shapes)), "r") as file:
        return [_array(h5py, file, name, tuple(shape)) for name, shape in shapes.items()]


def _hdf5(path: Path, shapes: Shapes) -> bytes:
    """The HDF5 file in the zip, which has the expected members and sizes only."""
    largest = _LARGEST | {_HDF5: sum(4 * math.prod(shape) for shape in shapes.values()) + _MARGIN}
    if path.stat().st_size > sum(largest.values()) + _MARGIN:
        raise ValueError(f"it has {path.stat().st_size:,} bytes, more than the network needs")
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if sorted(member.filename for member in members) != sorted(largest):
            raise ValueError(f"it does not consist of {', '.join(sorted(largest))}")
        for member in members:
            if member.file_size > largest[member.filename]:
                raise ValueError(f"{member.filename} has {member.file_size:,} bytes, more than the network needs")
        with archive.open(_HDF5) as stream:
            content = stream.read(largest[_HDF5] + 1)
    if len(content) > largest[_HDF5]:
        raise ValueError(f"{_HDF5} has more bytes than the network needs")
    return content


def _array(h5py: Any, file: Any, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    place = file
    for part in name.split("/"):
        link = place.get(part, getlink=True) if isinstance(place, h5py.Group) and part in place else None
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"{name!r} is missing or a link to another place")
        place = place[part]
    if not isinstance(place, h5py.Dataset) or place.shape != shape or place.dtype != np.dtype("<f4"):
        raise ValueError(f"{name!r} is not an array of float32 of shape {shape}")
    if place.external or place.is_virtual:
        raise ValueError(f"the numbers of {name!r} are in another file")
    if place.chunks or place.compression:
        raise ValueError(f"{name!r} is stored in chunks, which this program does not write")
    array: NDArray[np.float32] = place[()]
    if not np.isfinite(array).all():
        raise ValueError(f"{name!r} has numbers that are not finite")
    return array


def main(path: str, shapes: Shapes) -> None:
    """The work of the child process: write the arrays to standard output, as the Base64 of an ``.npz`` file."""
    stream = io.BytesIO()
    np.savez(stream, *read_weights(Path(path), shapes))
    sys.stdout.write(base64.b64encode(stream.getvalue()).decode())


if __name__ == "__main__":
    try:
        main(**json.loads(sys.argv[1]))
    except Exception as error:
        sys.exit(str(error) or type(error).__name__)
