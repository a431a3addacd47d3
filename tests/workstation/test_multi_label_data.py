"""Texts with several labels, from every form of data; and how the form says that there may be several."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sotag_convert.data.dataset import Dataset
from sotag_convert.data.labels import label_set
from sotag_convert.data.load import from_texts, label_texts, load, load_labelled
from sotag_convert.data.settings import DataSettings
from sotag_edge.errors import InputError, UsageError

EXPECTED = {
    "the oven is hot": ("heat", "kitchen"),
    "tie the boat up": ("harbour",),
    "salt the soup": ("kitchen",),
    "paint the hot hull": ("harbour", "heat"),
}
LINES = """__label__kitchen __label__heat the oven is hot
__label__harbour tie the boat up

__label__unknown a zebra
salt the soup __label__kitchen
__label__heat __label__harbour __label__heat paint the hot hull
"""
RECORDS = [
    {"text": "the oven is hot", "label": ["kitchen", "heat"]},
    {"text": "tie the boat up", "label": ["harbour"]},
    {"text": "a zebra", "label": []},
    {"text": "salt the soup", "label": "kitchen"},
    {"text": "paint the hot hull", "label": ["heat", " harbour ", "heat"]},
]
TABLE = """text,label
the oven is hot,"kitchen, heat"
tie the boat up,harbour
a zebra,unknown
salt the soup,"kitchen,"
paint the hot hull," heat ,harbour,heat"
"""
POSTS = """<posts>
<row Id="1" PostTypeId="1" Title="the oven is hot" Body="" Tags="&lt;kitchen&gt;&lt;heat&gt;&lt;gas&gt;" />
<row Id="2" PostTypeId="1" Title="tie the boat up" Body="" Tags="|harbour|unknown|" />
<row Id="3" PostTypeId="2" Body="an answer" />
<row Id="4" PostTypeId="1" Title="salt the soup" Body="" Tags="|kitchen|" />
<row Id="5" PostTypeId="1" Title="paint the hot hull" Body="" Tags="|heat|harbour|" />
<row Id="6" PostTypeId="1" Title="a zebra" Body="" Tags="|animals|" />
<row Id="7" PostTypeId="1" Title="another zebra" Body="" />
</posts>
"""
CHOSEN = ("heat", "kitchen", "harbour")
FORMS = {
    "a.txt": (LINES, DataSettings()),
    "a.jsonl": ("\n".join(map(json.dumps, RECORDS)) + "\n", DataSettings()),
    "a.json": (json.dumps(RECORDS), DataSettings()),
    "a.csv": (TABLE, DataSettings(label_separator=",")),
    "Posts.xml": (POSTS, DataSettings(tags=CHOSEN)),
}


def pairs(dataset: Dataset) -> dict[str, tuple[str, ...]]:
    """Each training text, with the names of its labels."""
    return {
        text.strip(): tuple(dataset.labels[number] for number in numbers)
        for text, numbers in zip(dataset.train.texts, dataset.train.label_sets, strict=True)
    }


@pytest.mark.parametrize("name", FORMS)
def test_several_labels_are_read(tmp_path: Path, name: str) -> None:
    """From every form the same: labels are stripped, one that is repeated counts once, off-topic texts have none."""
    content, settings = FORMS[name]
    (tmp_path / name).write_text(content)
    dataset = load(str(tmp_path / name), settings)
    assert dataset.multi_label
    assert dataset.labels == ("harbour", "heat", "kitchen")
    assert pairs(dataset) == EXPECTED
    assert dataset.off_topic == (() if name == "Posts.xml" else ("a zebra",))


@pytest.mark.parametrize("name", FORMS)
def test_several_labels_are_measured_on(tmp_path: Path, name: str) -> None:
    """With the numbers of the model's labels; of posts, the tags that the model does not have are left out."""
    content, settings = FORMS[name]
    (tmp_path / name).write_text(content)
    labels = ("kitchen", "other", "heat", "harbour")
    examples = load_labelled(str(tmp_path / name), labels, settings).examples
    read = {
        text.strip(): tuple(sorted(labels[number] for number in numbers))
        for text, numbers in zip(examples.texts, examples.label_sets, strict=True)
    }
    assert read == EXPECTED
    assert all(list(numbers) == sorted(numbers) for numbers in examples.label_sets)


@pytest.mark.parametrize(
    ("name", "content", "settings", "multi"),
    [
        ("a.csv", 'text,label\na,"x, y"\nb,z\n', DataSettings(), False),
        ("a.csv", "text,label\na,x\nb,z\n", DataSettings(label_separator=";"), True),
        ("a.csv", "text,label\na,x\nb,z\n", DataSettings(multi_label=True), True),
        ("a.jsonl", '{"text": "a", "label": ["x"]}\n{"text": "b", "label": ["z"]}\n', DataSettings(), True),
        ("a.jsonl", '{"text": "a", "label": "x"}\n{"text": "b", "label": 42}\n', DataSettings(), False),
        ("a.txt", "__label__x a\n__label__z b\n", DataSettings(), False),
        ("Posts.xml", POSTS, DataSettings(tags=("heat", "gas", "animals")), True),
        ("Posts.xml", POSTS, DataSettings(tags=("gas", "animals")), False),
        ("Posts.xml", POSTS, DataSettings(min_texts=1), True),
    ],
)
def test_the_form_says_whether_there_may_be_several(
    tmp_path: Path, name: str, content: str, settings: DataSettings, multi: bool
) -> None:
    """A list, a separator, or a text with several labels; a comma in a label is none."""
    (tmp_path / name).write_text(content)
    assert load(str(tmp_path / name), settings).multi_label is multi


def test_a_folder_is_single_label(data: Path) -> None:
    """Unless the settings say otherwise."""
    assert not load(str(data)).multi_label
    assert load(str(data), DataSettings(multi_label=True)).multi_label


def test_texts_in_memory_may_have_several_labels() -> None:
    """As lists, tuples or sets; an empty one is an off-topic text, as `unknown` is."""
    labels = [["b", "a"], ("b",), {"a", " a "}, [], "unknown", ["unknown"]]
    dataset = from_texts(["one", "two", "three", "four", "five", "six"], labels)
    assert dataset.multi_label
    assert dataset.labels == ("a", "b")
    assert dataset.train.label_sets == ((0, 1), (1,), (0,))
    assert dataset.off_topic == ("four", "five", "six")
    labelled = label_texts(["one", "two"], [["a"], ["c", "b"]], ("a", "b", "c"))
    assert labelled.examples.label_sets == ((0,), (1, 2))
    assert not from_texts(["one", "two"], ["a", "b"]).multi_label


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (["a", ""], "the label of text 2 has an empty label in its list: ''"),
        (["a", None], "the label of text 2 has an empty label in its list: None"),
        (
            ["unknown", "a"],
            "the label of text 2 has 'unknown', which is for texts with none of the labels, beside others",
        ),
        (None, "the label of text 2 is empty: None"),
        (7, "the label of text 2 is 7, not a string or a list of strings"),
    ],
)
def test_unusable_lists_of_labels_are_an_error(value: object, words: str) -> None:
    """It names the text."""
    with pytest.raises(InputError, match=words):
        from_texts(["one", "two"], ["b", value])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("name", "content", "settings", "words"),
    [
        (
            "a.jsonl",
            '{"text": "a", "label": ["x", null]}',
            DataSettings(),
            r"jsonl:1: the field 'label' is a list with nul",
        ),
        ("a.jsonl", '{"text": "a", "label": ["x", ["y"]]}', DataSettings(), r"jsonl:1: .* a list with a list in it"),
        (
            "a.jsonl",
            '{"text": "a", "label": ["x", " "]}',
            DataSettings(),
            r"jsonl:1: the label field 'label' has an empty",
        ),
        (
            "a.csv",
            'text,label\na,","\n',
            DataSettings(label_separator=","),
            r"csv:2: the label field 'label' is empty: ','",
        ),
        (
            "a.txt",
            "__label__x a\nb\n",
            DataSettings(),
            r"a\.txt:2 has no label: a line of fastText's format begins with",
        ),
        ("a.txt", "__label__x a\n__label__ b\n", DataSettings(), r"a\.txt:2: the label is empty"),
        ("Posts.xml", POSTS, DataSettings(), "0 tags have 50 texts or more, and two or more tags are needed"),
        ("Posts.xml", POSTS, DataSettings(min_texts=3), "0 tags have 3 texts or more"),
        ("Posts.xml", POSTS, DataSettings(tags=("heat", "steam")), "no text has the tag 'steam'"),
    ],
)
def test_unusable_labels_of_files_are_an_error(
    tmp_path: Path, name: str, content: str, settings: DataSettings, words: str
) -> None:
    """It names the record, or the tags that are missing."""
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=words):
        load(str(tmp_path / name), settings)


def test_posts_that_are_left_out_are_counted(tmp_path: Path) -> None:
    """Those without any of the chosen tags, and those without a tag."""
    (tmp_path / "Posts.xml").write_text(POSTS)
    said: list[str] = []
    load(str(tmp_path / "Posts.xml"), DataSettings(tags=CHOSEN), said.append)
    assert said == [
        f"1 text was skipped because it has no tags: {tmp_path}/Posts.xml:7",
        "1 text was left out: without any of the chosen tags",
    ]


def test_tags_are_chosen_in_any_form(tmp_path: Path) -> None:
    """Texts keep the chosen labels; those with no other one are left out, and off-topic texts stay."""
    (tmp_path / "a.txt").write_text(LINES)
    said: list[str] = []
    dataset = load(str(tmp_path / "a.txt"), DataSettings(tags=("heat", "kitchen")), said.append)
    assert pairs(dataset) == {
        "the oven is hot": ("heat", "kitchen"),
        "salt the soup": ("kitchen",),
        "paint the hot hull": ("heat",),
    }
    assert dataset.off_topic == ("a zebra",)
    assert said == ["1 text was left out: without any of the chosen tags"]
    assert load(str(tmp_path / "a.txt"), DataSettings(min_texts=2)).labels == ("harbour", "heat", "kitchen")
    with pytest.raises(InputError, match="0 tags have 3 texts or more"):
        load(str(tmp_path / "a.txt"), DataSettings(min_texts=3))


@pytest.mark.parametrize("name", ["stackoverflow", "stackoverflow-16k", "stackoverflow-topics"])
def test_a_public_data_set_has_its_own_tags(name: str) -> None:
    """It is read whole and by itself."""
    for data, settings in (([name, "a.csv"], DataSettings()), (name, DataSettings(tags=("java",)))):
        with pytest.raises(UsageError, match=f"'{name}' has its own tags and test texts"):
            load(data, settings)


def test_an_archive_is_of_public_data() -> None:
    """Which are named."""
    names = "stackoverflow, stackoverflow-16k, stackoverflow-topics"
    with pytest.raises(UsageError, match=f"--archive is for the public data sets only: {names}"):
        load("a.csv", DataSettings(archive=Path("a.tar.gz")))


def test_label_sets_are_shared() -> None:
    """A set is the same whatever the order and the spaces are."""
    assert label_set(["b", "a  c"]) == label_set(("a c", " b ", "b")) == ("a c", "b")
