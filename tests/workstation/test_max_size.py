"""`--max-size`: a bundle is never above it, and as close to it as the texts allow."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sotag_convert import publish
from sotag_convert.cli.units import parsed_size
from sotag_convert.data.dataset import Dataset, Examples
from sotag_convert.learn import sizing
from sotag_convert.learn.linear import LinearTable
from sotag_convert.learn.presets import PRESETS, Preset
from sotag_convert.learn.sizing import model_bytes, next_rows, plan, row_bytes
from sotag_convert.learn.training_set import build_training_set
from sotag_convert.network.architectures import ConvLstmNetwork, settings_from
from sotag_convert.recipes import Recipe
from sotag_convert.training import train_dataset
from sotag_edge.bundle import MODEL, Bundle, Manifest, device_bytes
from sotag_edge.errors import ModelError, UsageError

DEFAULT, TINY = PRESETS["default"], PRESETS["tiny"]
SIZES = [60_000, 61_000, 80_000, 200_000, 205_000, 500_000, 1_000_000, 5_000_000, 60_000_000]


def word_texts(labels: int, texts: int, letters: str = "abcdefghij") -> Dataset:
    """Texts of random words, a third of them words of the text's label. There are more words and pairs than bytes."""
    draw = random.Random(1)
    words = ["".join(draw.choices(letters, k=draw.randint(3, 9))) for _ in range(4000)]
    chosen = []
    for number in range(texts):
        own = words[number % labels :: labels]
        chosen.append(" ".join(draw.choice(own if draw.random() < 1 / 3 else words) for _ in range(20)))
    names = tuple(f"tag {number}" for number in range(labels))
    return Dataset("words", names, Examples.single(chosen, [number % labels for number in range(texts)]), None)


def planned(preset: Preset, size: int, labels: int, *, multi_label: bool = False) -> Preset:
    names = [f"label {number}" for number in range(labels)]
    return plan(preset, size, names, "data", multi_label=multi_label, off_topic=not multi_label)


@pytest.mark.parametrize(
    ("text", "size"),
    [("200KB", 200_000), ("1.5MB", 1_500_000), ("300000", 300_000), (" 2 mb ", 2_000_000), ("70000b", 70_000)],
)
def test_sizes_are_read(text: str, size: int) -> None:
    """A KB is 1,000 bytes."""
    assert parsed_size(text) == size


@pytest.mark.parametrize("text", ["", "KB", "0", "-200KB", "200KiB", "1e5", "nan", "0.2", "200 KB 3", "9" * 30, "٣KB"])
def test_no_other_sizes_are_read(text: str) -> None:
    """The error shows how to write one."""
    with pytest.raises(UsageError, match="for --max-size: write 200KB"):
        parsed_size(text)


@pytest.mark.parametrize("preset", [DEFAULT, TINY])
@pytest.mark.parametrize(("labels", "multi_label"), [(2, False), (60, False), (60, True)])
def test_a_larger_size_gives_a_larger_model(preset: Preset, labels: int, multi_label: bool) -> None:
    """In every part: vocabulary, rows, and each setting of the network, which never exceeds the preset's."""
    plans = [planned(preset, size, labels, multi_label=multi_label) for size in SIZES]
    networks = [settings.network(labels, settings.vocabulary) for settings in plans]
    own = preset.network(labels, preset.vocabulary)
    assert isinstance(own, ConvLstmNetwork)
    names = ("embedding", "ratios", "buckets", "filters", "units")
    for name in names:
        values = [getattr(network, name) for network in networks]
        assert values == sorted(values)
        assert values[-1] == getattr(own, name)
    for name in ("vocabulary", "vocabulary_bytes", "rows", "room"):
        values = [getattr(settings, name) for settings in plans]
        assert values == sorted(values)
        assert values[0] < values[-1]


def test_the_smallest_size_is_said() -> None:
    """Before any training; that size is possible. With more tags it is larger."""
    smallest = []
    for labels in (2, 300):
        with pytest.raises(
            UsageError, match=rf"the smallest model for {labels} tags has about \d+KB, which is more"
        ) as e:
            planned(DEFAULT, 10_000, labels)
        smallest.append(parsed_size(str(e.value).split("about ")[1].split(",")[0]))
        planned(DEFAULT, smallest[-1], labels)
    assert smallest[0] < 35_000 < smallest[1]


@pytest.mark.parametrize("preset", ["fast", "seed"])
def test_a_preset_without_a_linear_branch_has_one_size(preset: str) -> None:
    """There is no table whose rows could fill the rest of a size."""
    with pytest.raises(UsageError, match="this preset has one size: a largest size needs the preset default or tiny"):
        planned(PRESETS[preset], 500_000, 4)


def test_a_size_takes_no_more_weights_than_a_network_may_have() -> None:
    """Where the size allows more than that, the rest stays unused."""
    settings = planned(DEFAULT, 10**9, 1000)
    built = build_training_set(word_texts(2, 10).train, word_texts(2, 10), replace(settings, rows=None), 1)
    network = settings.network(1000, len(built.vocabulary))
    rows = sizing.rows_within(settings.room or 0, network, built.vocabulary)
    assert isinstance(network, ConvLstmNetwork)
    assert replace(network, rows=len(built.vocabulary) + rows).weights() > 19_000_000


def test_long_words_are_within_the_bytes_of_the_vocabulary() -> None:
    """Of a script with two bytes per letter there are fewer tokens, and one of a thousand letters takes no others' place."""
    data = word_texts(3, 60, letters="абвгдежзик")
    texts = (*data.train.texts, " ".join(["ъ" * 1000] * 50))
    examples = Examples(texts, (*data.train.label_sets, (0,)))
    settings = replace(DEFAULT, vocabulary=200, vocabulary_bytes=200 * 12, rows=None)
    tokens = build_training_set(examples, data, settings, 1).vocabulary
    assert 2300 < len(tokens.to_bytes()) <= 2400
    assert 100 < len(tokens) < 200


def test_the_most_useful_rows_are_kept() -> None:
    """In the order of their hashes, with the rows of all ids."""
    rows = np.arange(10, dtype=np.float32).reshape(5, 2)
    hashes = np.array([3, 5, 8], np.uint32)
    table = LinearTable(rows, hashes, np.zeros(1, np.float32), np.array([2, 0, 1]))
    fewer = table.most_useful(2)
    assert fewer.rows.tolist() == rows[[0, 1, 3, 4]].tolist()
    assert fewer.hashes.tolist() == [5, 8]
    assert fewer.most_useful(1).hashes.tolist() == [5]
    assert table.most_useful(9).hashes.tolist() == [3, 5, 8]


def test_rows_after_a_measurement() -> None:
    """Fewer above the size, more well below it, none if it is full or there are no more."""
    assert next_rows(100_000, 100_000, 500, 600, 10) is None
    assert next_rows(99_100, 100_000, 500, 600, 10) is None
    assert next_rows(90_000, 100_000, 500, 500, 10) is None
    assert next_rows(90_000, 100_000, 500, 520, 10) == 520
    assert next_rows(98_000, 100_000, 500, 9000, 10) == 500 + (2000 - 184) // 18
    assert next_rows(100_001, 100_000, 500, 600, 10) == 500 - 11
    assert next_rows(200_000, 100_000, 500, 600, 10) == 0


@pytest.mark.parametrize(("first", "exports"), [(99_900, 1), (104_000, 2), (90_000, 2)])
def test_it_is_exported_again_until_it_fits(
    first: int, exports: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong estimate costs an export and is corrected by it."""
    done = []

    def export(rows: int, recipe: Recipe, folder: Path) -> SimpleNamespace:
        done.append(rows)
        (folder / MODEL).write_bytes(bytes(first + (rows - 1000) * row_bytes(10)))
        return SimpleNamespace(outputs=10)

    monkeypatch.setattr(publish, "_export", export)
    limit = publish.SizeLimit(100_000, 1000, 9000, lambda rows: rows)  # type: ignore[arg-type, return-value]
    source, _ = publish._export_within(limit, 1000, Recipe.MIXED, tmp_path)  # type: ignore[arg-type]
    assert (source,) == tuple(done[-1:])
    assert len(done) == exports
    assert 99_000 <= device_bytes(tmp_path) <= 100_000


def test_a_bundle_above_the_size_is_not_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If it is too large without any row, that is an error."""

    def export(rows: int, recipe: Recipe, folder: Path) -> SimpleNamespace:
        (folder / MODEL).write_bytes(bytes(100_001 + rows * row_bytes(10)))
        return SimpleNamespace(outputs=10)

    monkeypatch.setattr(publish, "_export", export)
    limit = publish.SizeLimit(100_000, 50, 9000, lambda rows: rows)  # type: ignore[arg-type, return-value]
    with pytest.raises(ModelError, match="has 100,001 bytes, and 100,000 are allowed"):
        publish._export_within(limit, 50, Recipe.MIXED, tmp_path)  # type: ignore[arg-type]


@pytest.mark.parametrize(("size", "labels", "multi_label"), [(60_000, 4, False), (150_000, 12, True)])
def test_a_published_bundle_has_the_size(tmp_path: Path, size: int, labels: int, multi_label: bool) -> None:
    """Never above, at most 1 % below, and the formula is that of the exported graph."""
    data = word_texts(labels, 120)
    if multi_label:
        sets = tuple(tuple(sorted({first, (first + 1) % labels})) for (first,) in data.train.label_sets)
        data = replace(data, train=Examples(data.train.texts, sets), multi_label=True)
    train_dataset(data, tmp_path / "m", preset="tiny", epochs=1, validation=0, max_size=size)
    assert 0.99 * size < device_bytes(tmp_path / "m") <= size
    bundle = Bundle.read(tmp_path / "m")
    network = settings_from(Manifest.read(tmp_path / "m").network)
    assert abs(model_bytes(network) - len(bundle.model)) < 400
    assert bundle.features is not None
    assert len(bundle.features) > 100


def test_too_small_a_size_ends_before_the_training(tmp_path: Path) -> None:
    """Nothing is written."""
    with pytest.raises(UsageError, match="the smallest model for 2 tags"):
        train_dataset(word_texts(2, 10), tmp_path / "m", max_size=10_000)
    assert list(tmp_path.iterdir()) == []
