"""SOTitle's files: their download, local copies, rows that are left out, and texts that NLTK has cut."""

from __future__ import annotations

import csv
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sotag_convert.data import sotitle
from sotag_convert.data.sotitle import FOLDERS, SPLITS, Question, excluded_rows, questions, reader, restored
from sotag_edge.errors import InputError
from sotag_edge.tokenizer import TokenizerMode, tokenize
from tests.workstation.public_files import hashes, packed, table, tar, unpacked
from tests.workstation.server import Server

NONE = {f"{folder}/{split}": frozenset[int]() for folder in FOLDERS.values() for split in SPLITS}

FILES = {
    "data/C#/test_title.csv": table(["Why is my `` list '' empty ?", "Sort , then\nsum", "Read a file"]),
    "data/C#/test_body.csv": table(["I append to it .", 'It says "" here', ""]),
    "data/C#/test_code.csv": table(["list.Add ( 1 )", "", "File.Open ( )"]),
    "data/Java/train_title.csv": b"An unquoted title\nAnother one\n",
    "data/JS/valid_title.csv": table(["Why does n't $ scope change ?"]),
    "data/JS/valid_body.csv": table(["It stays"]),
    "data/Python/train_title.csv": table(["Plot a line"]),
}
LARGER = {"data/Java/train_body.csv": table(["Its body", "Another body"])}
QUESTIONS = [
    Question("csharp", "test", 'Why is my " list " empty ?', "I append to it .\nlist.Add ( 1 )"),
    Question("csharp", "test", "Sort , then\nsum", 'It says "" here'),
    Question("csharp", "test", "Read a file", "File.Open ( )"),
    Question("java", "train", "An unquoted title"),
    Question("java", "train", "Another one"),
    Question("javascript", "valid", "Why doesn't $scope change ?", "It stays"),
    Question("python", "train", "Plot a line"),
]


Copy = Callable[[Path, Mapping[str, bytes]], Path]
each_copy = pytest.mark.parametrize("copy", [packed, unpacked])


def read_copy(copy: Path, sha256: Mapping[str, str], excluded: Mapping[str, frozenset[int]] = NONE) -> list[Question]:
    return list(questions(reader(copy.parent, copy, "http://127.0.0.1:9/", sha256), excluded))


def read_files(files: Mapping[str, bytes], excluded: Mapping[str, frozenset[int]] = NONE) -> list[Question]:
    return list(questions(files.get, excluded))


def test_downloads_each_file_once(server: Server, tmp_path: Path) -> None:
    """Of the files that have a hash; the second time there is no request. The others are left out."""
    server.files = FILES | LARGER
    for _ in range(2):
        assert list(questions(reader(tmp_path, None, server.url, hashes(FILES)), NONE)) == QUESTIONS
        assert server.requests == len(FILES)
    assert not (tmp_path / sotitle.FOLDER).exists()  # it would be taken for a copy of the repository


def test_only_a_damaged_download_is_repeated(server: Server, tmp_path: Path) -> None:
    """The other files stay."""
    server.files = FILES
    sha256 = hashes(FILES)
    list(questions(reader(tmp_path, None, server.url, sha256), NONE))
    next(tmp_path.rglob("*JS*title*")).write_bytes(b"half")
    assert list(questions(reader(tmp_path, None, server.url, sha256), NONE)) == QUESTIONS
    assert server.requests == len(FILES) + 1


def _is_missing(server: Server) -> None:
    server.files = {}


def _is_cut_off(server: Server) -> None:
    server.cut = 20


def _is_another_file(server: Server) -> None:
    server.files = dict.fromkeys(FILES, b"<html>log in</html>")


def _is_stopped(server: Server) -> None:
    server.http.server_close()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (_is_missing, r"cannot be downloaded \(HTTP status 404\)"),
        (_is_cut_off, r"cannot be downloaded \(ChunkedEncodingError\)"),
        (_is_another_file, "did not give the expected file"),
        (_is_stopped, r"cannot be downloaded \(ConnectionError\)"),
    ],
)
def test_a_bad_download_leaves_nothing(
    server: Server, tmp_path: Path, fault: Callable[[Server], None], words: str
) -> None:
    """The error names the file and the alternative."""
    server.files = FILES
    fault(server)
    read = reader(tmp_path, None, server.url, hashes(FILES))
    with pytest.raises(InputError, match=rf"{server.url}data/C%23/test_title.csv {words}.*--archive that has SOTitle,"):
        list(questions(read, NONE))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@each_copy
def test_a_local_copy_gives_the_same_questions(tmp_path: Path, copy: Copy) -> None:
    """Without a request."""
    assert read_copy(copy(tmp_path, FILES), hashes(FILES)) == QUESTIONS


@each_copy
def test_larger_files_of_a_copy_are_used(tmp_path: Path, copy: Copy) -> None:
    """The repository has files that are not downloaded; here they are bodies of titles."""
    read = read_copy(copy(tmp_path, FILES | LARGER), hashes(FILES))
    bodies = {question.title: question.body for question in read}
    assert (bodies["An unquoted title"], bodies["Another one"]) == ("Its body", "Another body")
    assert len(read) == len(QUESTIONS)


@each_copy
def test_a_copy_with_another_file_is_refused(tmp_path: Path, copy: Copy) -> None:
    """By its hash, and so is one that lacks a file."""
    changed = FILES | {"data/JS/valid_body.csv": table(["It changes"])}
    with pytest.raises(ValueError, match=r"^data/JS/valid_body\.csv is not the expected file: its SHA-256 differs"):
        read_copy(copy(tmp_path, changed), hashes(FILES))
    sha256 = hashes(FILES | LARGER)
    with pytest.raises(ValueError, match=r"^data/Java/train_body\.csv is missing"):
        read_copy(copy(tmp_path, FILES), sha256)


@pytest.mark.parametrize("content", [b"no archive", tar(FILES, "xz")[:-100], b""])
def test_a_damaged_archive_is_an_error(tmp_path: Path, content: bytes) -> None:
    """Another file, one that is cut short, and an empty one."""
    (tmp_path / sotitle.ARCHIVE).write_bytes(content)
    with pytest.raises(ValueError, match="it cannot be unpacked"):
        read_copy(tmp_path / sotitle.ARCHIVE, hashes(FILES))


def link(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def test_names_in_an_archive_lead_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Members are read in memory: nothing is written, no link is followed, other names are not looked at."""
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    (tmp_path / "secret.csv").write_bytes(table(["a secret"]))
    hostile = {name: table(["written"]) for name in ("../outside.csv", "/../outside.csv", "data/C#/../../up.csv")}
    links = [
        link("data/Python/valid_title.csv", tarfile.SYMTYPE, str(tmp_path / "secret.csv")),
        link("data/Python/test_title.csv", tarfile.LNKTYPE, "../secret.csv"),
        link("data/JS/test_title.csv", tarfile.FIFOTYPE),
        link("data/JS", tarfile.SYMTYPE, ".."),
    ]
    (place / sotitle.ARCHIVE).write_bytes(tar(hostile | FILES, "xz", links))
    before = sorted(tmp_path.rglob("*"))
    assert read_copy(place / sotitle.ARCHIVE, hashes(FILES)) == QUESTIONS
    assert sorted(tmp_path.rglob("*")) == before


def test_excluded_rows_are_left_out() -> None:
    """By the number of the record, from 0: a title of two lines is one. The other rows keep their bodies."""
    excluded = NONE | {"C#/test": frozenset([1]), "Java/train": frozenset([0, 1])}
    assert read_files(FILES, excluded) == [QUESTIONS[0], QUESTIONS[2], *QUESTIONS[5:]]


def test_the_shipped_numbers_are_of_these_files() -> None:
    """Each split has some."""
    assert {name: len(rows) > 0 for name, rows in excluded_rows().items()} == dict.fromkeys(NONE, True)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("data/C#/test_body.csv", table(["one"]), "C#/test has 3 titles, and 1 rows of body"),
        ("data/C#/test_code.csv", table(["", "", "", ""]), "C#/test has 3 titles, and 4 rows of code"),
        ("data/JS/valid_title.csv", b'"one","two"\n', r"data/JS/valid_title\.csv has rows that are not one field"),
        ("data/JS/valid_title.csv", b"one\n\n", r"data/JS/valid_title\.csv has rows that are not one field"),
        ("data/JS/valid_title.csv", b"caf\xe9\n", r"data/JS/valid_title\.csv is not CSV in UTF-8"),
    ],
)
def test_files_of_another_shape_are_an_error(name: str, content: bytes, words: str) -> None:
    """It names the file."""
    with pytest.raises(ValueError, match=words):
        read_files(FILES | {name: content})


def test_row_numbers_that_do_not_fit_are_an_error() -> None:
    """The last title has the number 2."""
    excluded = NONE | {"C#/test": frozenset([3])}
    with pytest.raises(ValueError, match="C#/test has 3 titles, and row 3 is to be left out"):
        read_files(FILES, excluded)


def test_long_fields_are_read(monkeypatch: pytest.MonkeyPatch, field_limit: int) -> None:
    """Some code has more than the 131,072 characters that the csv module reads; its limit is not changed."""
    code = "x" * (field_limit + 1)
    files = FILES | {"data/C#/test_code.csv": table([code, "", ""])}
    assert read_files(files)[0].body.endswith(code)
    assert csv.field_size_limit() == field_limit
    monkeypatch.setattr(sotitle, "_LARGEST_FIELD", field_limit)
    with pytest.raises(ValueError, match=r"data/C#/test_code\.csv is not CSV in UTF-8: field larger than"):
        read_files(files)


def test_a_text_is_the_title_and_the_body() -> None:
    """Two lines apart; the title only if there is no body."""
    assert QUESTIONS[5].text == "Why doesn't $scope change ?\n\nIt stays"
    assert QUESTIONS[6].text == "Plot a line"


SENTENCES = [  # as typed; cut by NLTK; flattened, as in Stack Overflow 16k
    (
        "I don't know why it won't stop, and I can't tell: isn't it done?",
        "I do n't know why it wo n't stop , and I ca n't tell : is n't it done ?",
        "i don't know why it won't stop, and i can't tell: isn't it done?",
    ),
    (
        "It's what I'd do; we're sure they've read the user's mail and you'll see",
        "It 's what I 'd do ; we 're sure they 've read the user 's mail and you 'll see",
        "it's what i'd do; we're sure they've read the user's mail and you'll see",
    ),
    (
        "Is C# (or F#) faster than C++? My c#/F# code, in C#.",
        "Is C # ( or F # ) faster than C++ ? My c # /F # code , in C # .",
        "is c# (or f#) faster than c++? my c#/f# code, in c#.",
    ),
    (
        "Why is $scope.items empty in $http.get(url)? And $(this), $_POST too",
        "Why is $ scope.items empty in $ http.get ( url ) ? And $ ( this ) , $ _POST too",
        "why is $scope.items empty in $http.get(url)? and $(this), $_post too",
    ),
    (
        "What does @Override do before @Test, and the a in ('#menu a')?",
        "What does @ Override do before @ Test , and the a in ( ' # menu a ' ) ?",
        "what does @override do before @test, and the a in ('#menu a')?",
    ),
    (
        "x = 1 # keep the first print(x)",
        "x = 1 # keep the first print ( x )",
        "x = 1 # keep the first print(x)",
    ),
    (
        "Why is a <b> shown as &lt;b&gt; with &nbsp; and &amp; &#39; in it?",
        "Why is a < b > shown as & lt ; b & gt ; with & nbsp ; and & amp ; & # 39 ; in it ?",
        "why is a &lt;b&gt; shown as &lt;b&gt; with &nbsp; and &amp; &#39; in it?",
    ),
    (
        'He said "hello" and "it\'s 5% of [x] => {y}" ... then --',
        "He said `` hello '' and `` it 's 5 % of [ x ] = > { y } '' ... then --",
        'he said ""hello"" and ""it\'s 5% of [x] =&gt; {y}"" ... then --',
    ),
    (
        "I cannot do it: I'm gonna fail, wanna quit, gotta go. Gimme help, lemme in!",
        "I can not do it : I 'm gon na fail , wan na quit , got ta go . Gim me help , lem me in !",
        "i cannot do it: i'm gonna fail, wanna quit, gotta go. gimme help, lemme in!",
    ),
    (
        "Cannot find DON'T, and Don't",
        "Can not find DO N'T , and Do n't",
        "cannot find don't, and don't",
    ),
]


@pytest.mark.parametrize(("typed", "cut", "flat"), SENTENCES)
def test_a_cut_text_has_the_tokens_of_the_original(typed: str, cut: str, flat: str) -> None:
    """As the same sentence typed, or flattened."""
    tokens = tokenize(typed, TokenizerMode.TEXT)
    assert tokenize(restored(cut), TokenizerMode.TEXT) == tokens
    assert tokenize(flat, TokenizerMode.TEXT) == tokens


@pytest.mark.parametrize(("typed", "cut", "flat"), SENTENCES)
def test_a_text_that_is_not_cut_keeps_its_tokens(typed: str, cut: str, flat: str) -> None:
    """So does one that is restored already."""
    for text in (typed, flat, restored(cut)):
        assert tokenize(restored(text), TokenizerMode.TEXT) == tokenize(text, TokenizerMode.TEXT)
