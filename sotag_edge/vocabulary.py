"""Tokens <-> ids, stored in ``vocab.txt``: UTF-8, one token per line; the number of the line, from 0, is the token's id.

Line 0 is ``[PAD]`` and line 1 ``[UNK]``. Both tokenizer modes lower-case, so no text can produce either name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import repeat

from sotag_edge.errors import ModelError

PADDING = "[PAD]"
UNKNOWN = "[UNK]"
PADDING_ID = 0
UNKNOWN_ID = 1


class Vocabulary:
    """A fixed list of tokens.

    >>> vocabulary = Vocabulary(["[PAD]", "[UNK]", "import", "numpy"])
    >>> vocabulary.ids(["import", "pandas", "numpy"])
    [2, 1, 3]
    """

    __slots__ = ("_ids", "tokens")

    def __init__(self, tokens: Sequence[str]) -> None:
        """Raises ``ModelError`` if the two reserved tokens are not first or a token occurs twice."""
        self.tokens = tuple(tokens)
        if self.tokens[:2] != (PADDING, UNKNOWN):
            raise ModelError(f"a vocabulary begins with the lines {PADDING} and {UNKNOWN}, but this one does not")
        self._ids = {token: number for number, token in enumerate(self.tokens)}
        if len(self._ids) != len(self.tokens):
            twice = next(token for token, count in Counter(self.tokens).items() if count > 1)
            raise ModelError(f"the vocabulary has the token {twice!r} twice")

    @classmethod
    def learn(cls, texts: Iterable[Iterable[str]], size: int) -> Vocabulary:
        """The ``size - 2`` most frequent tokens of ``texts``, ties in alphabetical order, after the reserved two.

        >>> Vocabulary.learn([["b", "a"], ["b", "c"]], size=4).tokens
        ('[PAD]', '[UNK]', 'b', 'a')
        """
        counts = Counter(token for tokens in texts for token in tokens)
        ranked = sorted(counts, key=lambda token: (-counts[token], token))
        return cls([PADDING, UNKNOWN, *ranked[: size - 2]])

    @classmethod
    def from_bytes(cls, content: bytes) -> Vocabulary:
        """Parse ``vocab.txt``. Raises ``ModelError`` if it is not UTF-8 or not a vocabulary."""
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ModelError(f"the vocabulary is not UTF-8 text ({error.reason} at byte {error.start})") from error
        # subtle: splitlines() would also split at U+2028 and U+0085, which a token of the whitespace mode may contain.
        return cls(text.removesuffix("\n").split("\n"))

    def to_bytes(self) -> bytes:
        """The content of ``vocab.txt``."""
        return ("\n".join(self.tokens) + "\n").encode("utf-8")

    def ids(self, tokens: Iterable[str]) -> list[int]:
        """One id per token, in order. A token outside the vocabulary gets the unknown id; it is never dropped."""
        return list(map(self._ids.get, tokens, repeat(UNKNOWN_ID)))

    def __len__(self) -> int:
        return len(self.tokens)
