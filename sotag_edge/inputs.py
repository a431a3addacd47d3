"""Text -> the input of the network, by the settings of a bundle. Training and the device both call it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sotag_edge.tokenizer import TokenizerMode, piece_tokens, pieces_of, tokenize
from sotag_edge.vocabulary import LONGEST, PADDING_ID, UNKNOWN_ID, Vocabulary

_LONGEST, _LONGEST_STEP = 100_000, 256  # tokens


class NetworkInput(NamedTuple):
    """The input of the network for one text: its ``ids``, and in a network with a linear branch the ``rows`` of its features
    with their counts (see features.py). ``truncated``: whether the network reads to its limit and the text goes on.

    ``ids``: a list, or an ``array`` of C integers, which NumPy takes without reading one after the other.
    """

    ids: Sequence[int]
    rows: list[list[int]] | None = None
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class InputSettings:
    """How a text becomes ids, the same in training and on the device.

    ``max_tokens``: the number of tokens read of a text. ``pad_to``: ids are padded after the text to this length, for a
    network that was trained on a fixed window; ``None`` (the rule) feeds each text at its own length. ``step``: the number
    of tokens that the network reads at a time, if it can read a text in pieces. Raises ``ValueError`` if out of range.
    """

    tokenizer: TokenizerMode
    max_tokens: int
    pad_to: int | None = None
    step: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.max_tokens <= _LONGEST:
            raise ValueError(f"max_tokens must be from 1 to {_LONGEST}, not {self.max_tokens}")
        if self.pad_to is not None and not self.max_tokens <= self.pad_to <= _LONGEST:
            raise ValueError(f"pad_to must be from max_tokens ({self.max_tokens}) to {_LONGEST}, not {self.pad_to}")
        if self.step is not None and not 1 <= self.step <= _LONGEST_STEP:
            raise ValueError(f"step must be from 1 to {_LONGEST_STEP}, not {self.step}")
        if self.step is not None and self.pad_to is not None:
            raise ValueError("a network with a step reads each text at its own length, so pad_to must be null")

    def ids(self, text: str, vocabulary: Vocabulary) -> list[int]:
        """The ids of any text, at least one: the empty text is a single unknown token.

        >>> settings = InputSettings(TokenizerMode.CODE, max_tokens=3)
        >>> settings.ids("import numpy as np", Vocabulary(["[PAD]", "[UNK]", "import"]))
        [2, 1, 1]
        """
        return self.ids_of(self.tokens(text), vocabulary)

    @property
    def has_long_ids(self) -> bool:
        """Whether ``long_ids`` may be called: it does neither pad nor split at white space."""
        return self.pad_to is None and self.tokenizer is not TokenizerMode.WHITESPACE

    def long_ids(self, text: str, vocabulary: Vocabulary) -> array[int]:
        """The ids of the first ``max_tokens + 1`` tokens of a text or more, none of a blank text. For the modes ``text`` and
        ``code``, in half of the time that ``tokens`` and ``ids_of`` take for a text of ``LONG`` characters or more.

        >>> settings = InputSettings(TokenizerMode.CODE, max_tokens=3)
        >>> settings.long_ids("import numpy as np", Vocabulary(["[PAD]", "[UNK]", "import"]))
        array('i', [2, 1, 1, 1])
        """
        return self._ids_of_pieces(pieces_of(text, self.tokenizer, self.max_tokens + 1), vocabulary)

    def _ids_of_pieces(self, pieces: Iterable[str], vocabulary: Vocabulary) -> array[int]:
        ids = array("i")
        for piece in pieces:
            fast = vocabulary.fast_ids(piece)
            if fast is None:
                ids.extend(vocabulary.ids(piece_tokens(piece, self.tokenizer, self.max_tokens + 1 - len(ids))))
            else:
                ids.frombytes(fast.tobytes())
            if len(ids) > self.max_tokens:
                break
        return ids

    def inputs(self, texts: Sequence[str], vocabulary: Vocabulary) -> list[NetworkInput]:
        """The inputs of a network without a linear branch, where ``has_long_ids``."""
        return [self.input_of_ids(ids) for ids in self.ids_of_many(texts, vocabulary)]

    def input_of_ids(self, ids: array[int]) -> NetworkInput:
        """The input of a network without a linear branch for the ids of a text, as ``long_ids`` gives them."""
        return NetworkInput(ids[: self.max_tokens] or [UNKNOWN_ID], None, len(ids) > self.max_tokens)

    def ids_of_many(self, texts: Sequence[str], vocabulary: Vocabulary) -> list[array[int]]:
        """The ``long_ids`` of each of several texts, short ones too, in less time."""
        wholes = [pieces_of(text, self.tokenizer, self.max_tokens + 1) for text in texts]
        ids: dict[int, array[int]] = {}
        for group in _groups(wholes):
            found = vocabulary.fast_ids_of(list(group.values()))
            ids |= {place: array("i", of_text.tobytes()) for place, of_text in zip(group, found or (), strict=False)}
        return [
            ids[place] if place in ids else self._ids_of_pieces(whole, vocabulary) for place, whole in enumerate(wholes)
        ]

    def tokens(self, text: str) -> list[str]:
        """The first ``max_tokens + 1`` tokens of a text: one more than the network reads shows that the text is longer.

        >>> InputSettings(TokenizerMode.CODE, max_tokens=3).tokens("import numpy as np, pandas as pd")
        ['import', 'numpy', 'as', 'np']
        """
        return tokenize(text, self.tokenizer, self.max_tokens + 1)

    def ids_of(self, tokens: list[str], vocabulary: Vocabulary) -> list[int]:
        """The ids of the tokens that the network reads: the first ``max_tokens``."""
        return self.padded(vocabulary.ids(tokens[: self.max_tokens]) or [UNKNOWN_ID])

    def padded(self, ids: list[int]) -> list[int]:
        """The ids of a text, at most ``max_tokens``, as long as the network needs them."""
        return ids if self.pad_to is None else ids + [PADDING_ID] * (self.pad_to - len(ids))


def _groups(wholes: Sequence[Iterable[str]]) -> Iterator[dict[int, str]]:
    """The texts that are one piece of ASCII by their places, in groups that ``fast_ids_of`` takes at once."""
    group: dict[int, str] = {}
    size = 0
    for place, whole in enumerate(wholes):
        if not isinstance(whole, tuple) or not whole[0].isascii():
            continue
        if size + len(whole[0]) >= LONGEST:
            yield group
            group, size = {}, 0
        group[place] = whole[0]
        size += len(whole[0]) + 1
    if group:
        yield group
