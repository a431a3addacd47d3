"""Tokens <-> ids, stored in ``vocab.txt``: UTF-8, one token per line; the number of the line, from 0, is the token's id.

Line 0 is ``[PAD]`` and line 1 ``[UNK]``. All tokenizer modes lower-case, so no text can produce either name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import repeat
from typing import TYPE_CHECKING

from sotag_edge.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sotag_edge.fast_ids import FastIds

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
PADDING = "[PAD]"
UNKNOWN = "[UNK]"
PADDING_ID = 0
UNKNOWN_ID = 1
_MOST = 1_000_000  # tokens, which take 200 MB of memory

# Three letters in a row, or one of another script. Measured on 4,600 byte dumps (hexadecimal, base64, base85, od), lists of
# numbers and random characters, of 30 to 6,000 bytes: at most 2 % of their tokens are words of the default vocabulary. Of
# 14,000 real questions and titles 0.2 % have fewer than 3 %, of 2,000 pieces of code 2 %.
_WORD = re.compile(r"[^\W\d_]{3}|[^\W\d_\x00-\x7f]")
_FEWEST_WORDS = 0.03  # of the tokens
_SHORT = 8  # tokens; in a shorter text each token with a letter is a word, such as "c#"
_LEAST = 4  # tokens that are looked at first, and as many as have enough words in nearly every text:
_USUAL_WORDS = 0.25  # of the tokens
LONG, LONGEST = 300, 16384
"""Characters of a text whose ids NumPy has faster: of a shorter one Python has, a longer one comes in pieces."""
_BEFORE_FAST = 64  # long texts; to prepare for faster ones takes 5 ms, which they save in about 300 texts


class Vocabulary:
    """A fixed list of tokens.

    >>> vocabulary = Vocabulary(["[PAD]", "[UNK]", "import", "numpy"])
    >>> vocabulary.ids(["import", "pandas", "numpy"])
    [2, 1, 3]
    """

    __slots__ = ("_before_fast", "_fast", "_ids", "_is_word", "tokens")

    def __init__(self, tokens: Sequence[str]) -> None:
        """Raises ``ModelError`` if the two reserved tokens are not first or a token occurs twice."""
        self.tokens = tuple(tokens)
        if self.tokens[:2] != (PADDING, UNKNOWN):
            raise ModelError(f"a vocabulary begins with the lines {PADDING} and {UNKNOWN}, but this one does not")
        self._ids = {token: number for number, token in enumerate(self.tokens)}
        if len(self._ids) != len(self.tokens):
            twice = next(token for token, count in Counter(self.tokens).items() if count > 1)
            raise ModelError(f"the vocabulary has the token {twice!r} twice")
        # A byte that is not UTF-8 is no evidence for a label.
        self._ids.pop(REPLACEMENT, None)
        self._is_word = _IsWord(self.tokens)
        self._fast: FastIds | None = None
        self._before_fast = _BEFORE_FAST

    @classmethod
    def learn(cls, texts: Iterable[Iterable[str]], size: int) -> Vocabulary:
        """The ``size - 2`` most frequent tokens of ``texts``, ties in alphabetical order, after the reserved two.

        Tokens with bytes that were not UTF-8 are left out.

        >>> Vocabulary.learn([["b", "a"], ["b", "c"]], size=4).tokens
        ('[PAD]', '[UNK]', 'b', 'a')
        """
        counts = Counter(token for tokens in texts for token in tokens)
        ranked = sorted(
            (token for token in counts if REPLACEMENT not in token), key=lambda token: (-counts[token], token)
        )
        return cls([PADDING, UNKNOWN, *ranked[: size - 2]])

    @classmethod
    def from_bytes(cls, content: bytes) -> Vocabulary:
        """Parse ``vocab.txt``. Raises ``ModelError`` if it is not UTF-8, too long or not a vocabulary."""
        if content.count(b"\n") > _MOST:
            raise ModelError(f"the vocabulary has more than {_MOST:,} tokens")
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

    def fast_ids(self, text: str) -> NDArray[np.int32] | None:
        """The ids of the tokens of a decoded text, if NumPy has them faster: of a long ASCII text, in the modes ``text`` and
        ``code``. Otherwise ``None``, also for the first texts, so that a short run does not pay for what has to be prepared,
        and for a vocabulary that ``FastIds`` cannot have.
        """
        if not (LONG <= len(text) <= LONGEST and text.isascii()):
            return None
        fast = self._prepared(1)
        return None if fast is None else fast.ids(text)

    def fast_ids_of(self, texts: Sequence[str]) -> list[NDArray[np.int32]] | None:
        """The same for several decoded ASCII texts, of any length, of at most ``LONGEST`` characters together with a space
        between them: NumPy takes as long for ten short texts as for one."""
        fast = self._prepared(len(texts))
        return None if fast is None else fast.ids_of(texts)

    def _prepared(self, texts: int) -> FastIds | None:
        if self._before_fast > 0:
            self._before_fast -= texts
            if self._before_fast <= 0:  # subtle: another thread may have subtracted, too
                from sotag_edge.fast_ids import FastIds

                with suppress(ValueError):
                    self._fast = FastIds(self.tokens)
        return self._fast

    def has_words(self, ids: Sequence[int]) -> bool:
        """Whether enough tokens of a text are known words: not so in a list of numbers, a byte dump or another language.

        >>> vocabulary = Vocabulary(["[PAD]", "[UNK]", "import", ",", "c#"])
        >>> [vocabulary.has_words(ids) for ids in ([2, 1, 3], [4], [3] * 50, [2] + [3] * 50)]
        [True, True, False, False]
        """
        tokens = len(ids)
        if ids and ids[-1] == PADDING_ID:  # it is at the end only
            tokens -= ids.count(PADDING_ID)
        if tokens < _SHORT:
            return any(any(map(str.isalpha, self.tokens[number])) for number in ids if number > UNKNOWN_ID)
        fewest = tokens * _FEWEST_WORDS
        is_word = self._is_word.__getitem__
        first = _LEAST + int(fewest / _USUAL_WORDS)  # nearly every text has enough words there
        return sum(map(is_word, ids[:first])) >= fewest or sum(map(is_word, ids)) >= fewest

    def __len__(self) -> int:
        return len(self.tokens)


class _IsWord(dict[int, bool]):
    """Whether the token of an id is a word, found out when it is first asked for: for all it would take milliseconds."""

    def __init__(self, tokens: Sequence[str]) -> None:
        super().__init__({PADDING_ID: False, UNKNOWN_ID: False})
        self._tokens = tokens

    def __missing__(self, number: int) -> bool:
        self[number] = answer = _WORD.search(self._tokens[number]) is not None
        return answer
