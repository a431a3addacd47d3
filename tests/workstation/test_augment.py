"""The augmented copies of a training text."""

from __future__ import annotations

import random

import pytest

from sotag_convert.learn.augment import Augmentation, Copy, augment, beginning, cut
from sotag_edge.tokenizer import TokenizerMode

TEXT = " ".join(f"word{number}" for number in range(90))


def copies(versions: list[str], segments: int = 5, version_segments: int = 3, *, title: bool = True) -> list[Copy]:
    settings = Augmentation(segments, version_segments, title)
    return augment(versions, settings, TokenizerMode.CODE, random.Random(0))


def test_copies_are_parts_of_the_text() -> None:
    """First the text itself, then its title, its beginning, and the segments, each a run of the text's tokens."""
    whole, title, start, *segments = copies([TEXT])
    assert whole.tokens == TEXT.split()
    assert TEXT.startswith(" ".join(title.tokens))
    assert TEXT.startswith(" ".join(start.tokens))
    assert len(title.tokens) < 90
    assert 6 <= len(start.tokens) <= 24
    assert len(segments) == 8
    for segment in segments:
        assert " ".join(segment.tokens) in TEXT


def test_linear_models_are_fitted_on_whole_texts() -> None:
    """All versions are for them, and the title of a text with several; the others are not."""
    assert [copy.for_linear for copy in copies([TEXT])] == [True] + [False] * 10
    assert [copy.for_linear for copy in copies([TEXT, "a", "b"])] == [True] * 4 + [False] * 10


def test_versions_are_copies_too() -> None:
    """Title, beginning and some segments are of the last version, the other segments of the first one."""
    version = TEXT.replace("word", "name")
    whole, named, title, again, start, *segments = copies([TEXT, version], segments=2, version_segments=4)
    assert again.tokens == title.tokens  # for the network too
    assert (whole.tokens, named.tokens) == (TEXT.split(), version.split())
    for copy in (title, start):
        assert copy.tokens[0] == "name0"
    assert [segment.tokens[0][:4] for segment in segments] == ["word"] * 2 + ["name"] * 4


def test_titles_can_be_left_out() -> None:
    """Of texts that are titles themselves, or beside many titles: the versions and the segments are left."""
    version = TEXT.replace("word", "name")
    whole, named, *segments = copies([TEXT, version], segments=1, version_segments=2, title=False)
    assert (whole.tokens, named.tokens) == (TEXT.split(), version.split())
    assert [segment.tokens[0][:4] for segment in segments] == ["word", "name", "name"]
    assert [copy.for_linear for copy in (whole, named, *segments)] == [True, True, False, False, False]
    assert min(len(segment.tokens) for segment in segments) >= 90 // 4


@pytest.mark.parametrize("length", [21, 40, 90, 400])
def test_a_segment_is_a_quarter_to_three_quarters_of_the_text(length: int) -> None:
    """Segments of every length between the two bounds come up, from the first token of the text to its last one."""
    tokens = [f"word{number}" for number in range(length)]
    draw = random.Random(0)
    segments = [cut(tokens, draw) for _ in range(20_000)]
    lengths = {len(segment) for segment in segments}
    assert (min(lengths), max(lengths)) == (max(12, length // 4), max(13, length * 3 // 4))
    assert {segment[0] for segment in segments} >= {"word0", "word5"}
    assert f"word{length - 1}" in {segment[-1] for segment in segments}
    for segment in segments[:100]:
        first = tokens.index(segment[0])
        assert segment == tokens[first : first + len(segment)]


def test_a_short_text_is_not_cut() -> None:
    """A text of 20 tokens is its own segment; one of 21 is cut."""
    tokens = [f"word{number}" for number in range(21)]
    draw = random.Random(0)
    assert all(cut(tokens[:20], draw) == tokens[:20] for _ in range(20))
    assert all(len(cut(tokens, draw)) < 21 for _ in range(20))


def test_a_beginning_has_6_to_24_tokens() -> None:
    """Both bounds come up, and a shorter text is left whole."""
    tokens = [f"word{number}" for number in range(90)]
    draw = random.Random(0)
    beginnings = [beginning(tokens, draw) for _ in range(1000)]
    assert {len(start) for start in beginnings} == set(range(6, 25))
    assert all(start == tokens[: len(start)] for start in beginnings)
    assert beginning(tokens[:3], draw) == tokens[:3]
