"""Text -> tokens in mode ``text``: scripts of all kinds, and time in proportion to the limit."""

# ruff: noqa: RUF001  # letters that look like others are what is tested

from __future__ import annotations

import json
import sys
import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sotag_edge import characters, tokenizer
from sotag_edge.entities import decode_entities
from sotag_edge.tokenizer import TokenizerMode, spans
from sotag_edge.vocabulary import Vocabulary
from tests.conftest import FIXTURE

SENTENCES = [
    json.loads(line) for line in (FIXTURE.parent / "six_languages.jsonl").read_text(encoding="utf-8").splitlines()
]
LONG = 10_000_000  # characters

# Characters and entities that decide about places, from many scripts and with what may be joined to them.
PARTS = [
    *" \t\n\r.,\"'#$@;&aZ1é\u00a0\x1cßİΐ´\u0344",
    *("&amp;", "&lt", "&#10;", "&#20320;", "&para", "\r\n", "&am", "&#112;"),
    *"e\u0301\u0323\u0308",
    *"中文かガｶﾞ\u3099各\u1100\u1161\u11a8ㄱ한가",
    *"น้ำาไकि\u094d\u0937ខ្មကြ\u0e33",
    *"\u200c\u200d\u200b\u00ad\ufe0f\ufeff\ufffd",
    *"👩💻🏽🇩🇪\u20e31️⃣",
    *"\U00011013\U00011046אָمّ",
]
MIXED = st.lists(st.sampled_from(PARTS), max_size=30).map("".join)
ANY = MIXED | st.text(alphabet=st.characters())


def tokenize(text: str, limit: int | None = None) -> list[str]:
    return tokenizer.tokenize(text, TokenizerMode.TEXT, limit)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("STRASSE, Straße", ["strasse", ",", "strasse"]),
        ("Cafe\u0301 café CAFÉ", ["café"] * 3),
        ("ΐ Ϊ\u0301 ΐ", ["ΐ"] * 3),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("தமிழ் שָׁלוֹם مُحَمَّد", ["தமிழ்", "שָׁלוֹם", "مُحَمَّد"]),
        ("می\u200cخواهم क्\u200dष", ["میخواهم", "क्ष"]),
        ("东京タワーｶﾞ한국", ["东", "京", "タ", "ワ", "ー", "ガ", "한", "국"]),
        ("C#用の$itemです", ["c#", "用", "の", "$item", "で", "す"]),
        ("ฝนตกที่นี่", ["ฝ", "น", "ต", "ก", "ที่", "นี่"]),
        ("ລາວ ខ្មែរ မြန်", ["ລ", "າ", "ວ", "ខ្", "មែ", "រ", "မြ", "န်"]),
        ("๒๕๖๗ १२३ ８８", ["๒๕๖๗", "१२३", "88"]),
        ("Ｊａｖａ，（）", ["java", ",", "(", ")"]),
        ("葛\U000e0100 葛\ufe00", ["葛", "葛"]),
        ("👩🏽\u200d💻❤️🇩🇪🇫🇷1️⃣", ["👩", "💻", "❤", "🇩🇪", "🇫🇷", "1⃣"]),
        ("Donau\u00addampf \u200fשלום ခွေး\u200bကြောင်", ["donaudampf", "שלום", "ခွေး", "ကြော", "င်"]),
        ("中\n\r\n文\n&#10;", ["中", ".", ".", "文"]),
        ("&#20320;&eacute;t&eacute;", ["你", "été"]),
        ("caf\ufffdé", ["caf\ufffdé"]),
        ('""引""', ['"', "引", '"']),
        ("&#" + 5000 * "9" + ";ж", ["\ufffdж"]),
    ],
)
def test_text_tokens(text: str, tokens: list[str]) -> None:
    """Words have their marks; characters of scripts without spaces, flags and single marks are a token each."""
    assert tokenize(text) == tokens


@pytest.mark.parametrize(
    "entry", [entry for entry in SENTENCES if "tokens" in entry], ids=lambda entry: entry["language"]
)
def test_tokens_of_sentences(entry: dict[str, object]) -> None:
    """One sentence of each language."""
    assert tokenize(str(entry["text"])) == entry["tokens"]


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_ascii_is_as_in_code_mode(text: str) -> None:
    """A text of ASCII characters, entities decoded, has the tokens of mode ``code``."""
    if decode_entities(decode_entities(text)).isascii():
        assert tokenize(text) == tokenizer.tokenize(text)
        assert spans(text, TokenizerMode.TEXT) == spans(text)
        assert tokenize(f"{text.strip()} ж中") == [*tokenizer.tokenize(text), "ж", "中"]


@given(ANY)
def test_any_text_gives_tokens(text: str) -> None:
    """No token is empty or has white space in it, and each call gives the same ones."""
    tokens = tokenize(text)
    assert tokens == tokenize(text)
    assert [token.split() for token in tokens] == [[token] for token in tokens]


@given(ANY, st.integers(1, 9))
def test_a_limit_gives_the_first_tokens(text: str, limit: int) -> None:
    """Where a text is cut into pieces does not change its tokens."""
    assert tokenize(text, limit) == tokenize(text)[:limit]


@given(ANY)
@example("&par\u00e4")  # as two characters it would begin with the entity &para
def test_composed_and_decomposed_texts_meet(text: str) -> None:
    """NFC and NFD of a text give the same tokens."""
    assert tokenize(unicodedata.normalize("NFC", text)) == tokenize(unicodedata.normalize("NFD", text))


@given(ANY)
def test_places_are_those_of_the_tokens(text: str) -> None:
    """Where a token stands in the shown text it can be read, but for its case."""
    shown, places = spans(text, TokenizerMode.TEXT)
    read = [unicodedata.normalize("NFKC", shown[start:end].casefold()).replace("\n", ".") for start, end in places]
    assert read == tokenize(text)
    edges = [edge for place in places for edge in place]
    assert edges == sorted(edges)


def test_shown_text_keeps_its_case() -> None:
    """As long as folding keeps all places."""
    assert spans("Ночь 中A", TokenizerMode.TEXT) == ("Ночь 中A", [(0, 4), (5, 6), (6, 7)])
    assert spans("Maß\nA", TokenizerMode.TEXT)[0] == "mass.a"


@pytest.mark.parametrize(
    "text",
    [
        "天气" * (LONG // 2),
        "да я " * (LONG // 5),
        "a, b" * (LONG // 4),
        "ж" + "\n" * LONG + "ж",
        "天&amp;" * (LONG // 6),
    ],
    ids=["han", "cyrillic", "ascii", "newlines", "entities"],
)
def test_a_long_text_is_not_read_to_its_end(text: str) -> None:
    """Time depends on the limit: 10 MB take seconds as a whole."""
    tokenize(text[:5000], 384)
    start = time.process_time()
    assert len(tokenize(text, 384)) == 384
    assert time.process_time() - start < 1


def test_many_marks_take_linear_time() -> None:
    """Normalization sorts marks in quadratic time, minutes for these. Sorting them before changes nothing."""
    marks = "\u0301\u0323" * 200_000 + "\u0344\u0f73\u0323" * 1000
    start = time.process_time()
    assert len(tokenize(f"a{marks} b")) == 2
    assert time.process_time() - start < 20
    few = "\u0301\u0323\u0344\u0f73\u0323" * 1000
    assert tokenize(f"a{few}") == [unicodedata.normalize("NFKC", f"a{few}").casefold()]


ASSIGNED = [
    chr(number) for number in range(sys.maxunicode + 1) if unicodedata.category(chr(number)) not in ("Cn", "Cs", "Co")
]


def inside(ranges: str) -> set[str]:
    """The characters of a class."""
    return {c for c in ASSIGNED if tokenizer.re.match(f"[{ranges}]", c)}


def test_the_marks_are_those_of_unicode() -> None:
    """Each mark keeps a word together, or is ignored; and the class has nothing else in it."""
    marks = {c for c in ASSIGNED if unicodedata.category(c).startswith("M")}
    assert {c for c in marks if len(tokenize(f"ж{c}ж")) != 1} == set()
    assert inside(characters.MARKS) <= marks
    assert {c for c in inside(characters.FURTHER_MARKS) - marks if not c.isalnum()} == set()


def test_the_single_characters_are_those_of_unicode() -> None:
    """Every letter of the scripts without spaces, and of no other, is a token apart from its neighbours."""
    names = ("CJK UNIFIED IDEOGRAPH-", "HIRAGANA LETTER ", "KATAKANA LETTER ", "HANGUL SYLLABLE ", "HANGUL CHOSEONG ")
    names += (
        "THAI CHARACTER ",
        "LAO LETTER ",
        "LAO VOWEL SIGN ",
        "KHMER LETTER ",
        "MYANMAR LETTER ",
        "BOPOMOFO LETTER ",
    )
    letters = {c for c in ASSIGNED if c.isalpha() and unicodedata.name(c, "").startswith(names)}
    assert letters - inside(characters.SINGLE) == set()
    assert {c for c in inside(characters.SINGLE) if not (c.isalnum())} == set()
    others = {
        "LATIN",
        "GREEK",
        "CYRILLIC",
        "ARABIC",
        "HEBREW",
        "DEVANAGARI",
        "TAMIL",
        "BENGALI",
        "GEORGIAN",
        "ETHIOPIC",
    }
    assert {c for c in inside(characters.SINGLE) if unicodedata.name(c, "").split()[0] in others} == set()


def test_a_plain_text_has_no_character_of_a_class() -> None:
    """The pattern of mode ``code`` is enough for it."""
    plain = inside(characters.PLAIN)
    for ranges in (
        characters.MARKS,
        characters.FURTHER_MARKS,
        characters.SINGLE,
        characters.IGNORED,
        characters.FLAG_LETTERS,
    ):
        assert plain & inside(ranges) == set()
    assert {c for c in plain if unicodedata.category(c).startswith("M")} == set()


def test_a_text_may_be_cut_before_a_separable_character() -> None:
    """None is joined to what stands before it, or begins with a mark when it is decomposed."""
    second = {
        unicodedata.decomposition(c).split()[-1] for c in ASSIGNED if unicodedata.decomposition(c)[:1] not in ("", "<")
    }
    separable = inside(characters.SEPARABLE)
    assert {
        c for c in separable if f"{ord(c):04X}" in second and len(unicodedata.decomposition(c).split()) > 1
    } == set()
    assert {c for c in separable if unicodedata.category(unicodedata.normalize("NFKD", c)[0]).startswith("M")} == set()
    assert separable & inside(characters.IGNORED + characters.FLAG_LETTERS) == set()


@pytest.mark.parametrize("language", sorted({entry["language"] for entry in SENTENCES}))
def test_words_of_each_language_are_words(language: str) -> None:
    """A text of the language has enough words to be answered; a list of numbers has not."""
    texts = [tokenize(entry["text"]) for entry in SENTENCES if entry["language"] == language]
    assert len(texts) == 12
    vocabulary = Vocabulary.learn(texts, size=1000)
    for tokens in texts:
        assert vocabulary.has_words(vocabulary.ids(tokens))
        assert vocabulary.has_words(vocabulary.ids(tokens * 3))
    assert not vocabulary.has_words(vocabulary.ids(tokenize("८१, ๒๗, 12.5 " * 20)))
    assert Vocabulary.from_bytes(vocabulary.to_bytes()).tokens == vocabulary.tokens
