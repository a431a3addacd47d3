"""The presets: everything that is chosen before a training run. Named data; the other modules of ``learn`` carry it out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from sotag_convert.learn.augment import Augmentation
from sotag_convert.network.architectures import ConvLstmNetwork, NetworkSettings, StepLstmNetwork
from sotag_convert.network.seed import SeedNetwork
from sotag_convert.recipes import Recipe
from sotag_edge.inputs import InputSettings
from sotag_edge.tokenizer import TokenizerMode

_MOST_BATCHES = 4000  # per epoch
_MOST_TEXTS = 3_000_000  # in all epochs


@dataclass(frozen=True, slots=True)
class LinearSettings:
    """How the linear branch is fitted. ``strength``: the factor of ``inverse_regularization``, see linear.py;
    ``ngram_weight``: how much a character n-gram counts beside a token.

    Of the weights 0.2, 0.3 and 0.5 the second is best on titles, questions and package descriptions; with 1 the n-grams
    outweigh the words of a long text, which costs 2 to 7 points.
    """

    strength: float = 1.0
    ngram_weight: float = 0.3


USUAL_LINEAR = LinearSettings()


@dataclass(frozen=True, slots=True)
class Preset:
    """The settings of a run. Each does what is written here and switches nothing else, so that any combination works.

    The network and its export:

    - ``input``, ``vocabulary``: how texts become ids (of most texts, all; ``max_tokens`` at most), and the size of the
      vocabulary;
    - ``network``: number of labels, size of the vocabulary -> the network's settings;
    - ``rows``: the most pairs and n-grams in the table of the linear branch (learn/linear.py); ``None`` without a branch;
    - ``linear``: how that branch is fitted;
    - ``recipe``: how the weights are exported;
    - ``vocabulary_bytes``, ``room``: for a bundle of a certain size (learn/sizing.py): the largest size of ``vocab.txt``,
      and the bytes of vocabulary, network and table together, which then decide the number of rows.

    The training set:

    - ``augmentation``: each text is joined by its versions and by parts of them; ``None`` takes texts as they are;
    - ``extra_augmentation``: the same for the extra texts of the data set;
    - ``teacher_share``: the share of the teacher's scores in the target, from 0 (labels only) to 1 (distillation only);
    - ``teacher``: the linear model of the branch or, of texts with one label each, two linear models (learn/teacher.py);
    - ``informative_vocabulary``: half of the vocabulary is chosen by how much a token says about the label (chi-squared)
      instead of by frequency;
    - ``extra_texts``: the extra texts of the data set are used;
    - ``off_topic_repeats``: how often each off-topic text is used at most; 0 leaves them out.

    The fit:

    - ``ratios``: embeddings start from out-of-fold log-count ratios, in networks that have channels for them;
    - ``word_dropout``: the share of tokens that are made unknown in each batch; of texts with fewer than
      ``word_dropout_tokens`` tokens it is smaller in proportion;
    - ``optimizer``, ``learning_rate``, ``epochs``;
    - ``batch``, ``batches``: the texts in a batch, and the batches that an epoch has at least, see ``batch_size``;
    - ``validation``: the share of the training texts that are kept for validation;
    - ``patience``: the run stops after so many epochs without a better validation loss; ``None`` never stops early.
    """

    input: InputSettings
    vocabulary: int
    network: Callable[[int, int], NetworkSettings]
    recipe: Recipe
    optimizer: Literal["adamw", "rmsprop"]
    learning_rate: float
    batch: int
    epochs: int
    validation: float
    patience: int | None
    augmentation: Augmentation | None = None
    extra_augmentation: Augmentation | None = None
    teacher_share: float = 0.0
    teacher: Literal["linear", "ensemble"] = "linear"
    informative_vocabulary: bool = False
    extra_texts: bool = False
    off_topic_repeats: int = 0
    rows: int | None = None
    ratios: bool = False
    word_dropout: float = 0.0
    word_dropout_tokens: int = 1
    batches: int = 0
    linear: LinearSettings = USUAL_LINEAR
    vocabulary_bytes: int | None = None
    room: int | None = None

    def batch_size(self, texts: int) -> int:
        """The number of texts in a batch: ``batch``, or fewer (8 at least) for an epoch to have ``batches`` batches.

        Of many texts it is more, up to eight times as many, so that an epoch has at most about 4,000.
        """
        most = min(8 * self.batch, max(self.batch, texts // _MOST_BATCHES))
        return max(8, min(most, texts // self.batches)) if self.batches else self.batch

    def epochs_of(self, texts: int) -> int:
        """The largest number of epochs for so many texts: fewer where a few epochs are millions of texts."""
        return max(1, min(self.epochs, _MOST_TEXTS // texts))


# Chosen on 1,600 validation texts, masked; runs of one setting differ by 0.005 in the log loss. µs: the graph, per text.
#
#   stride  kernel  units  filters  log loss   µs
#        4       5     48       48     0.242  128
#        6       8     48       48     0.240   95
#        8       9     48       48     0.242   79   taken, with the kernel of the next
#        8      12     32       48     0.246   62
#       12      16     40       64     0.245   62
#
# Buckets from 28,000 to 65,536, embeddings of 16 to 20 and vocabularies of 5,000 to 8,000 are alike; 4,000 tokens cost
# 0.009. The 23,000 buckets are as many as 300 KB leave room for, and were not compared. docs/benchmarks.md has the curve
# for max_tokens: tokens after the 384th gain nothing.
#
# off_topic_repeats: of the off-topic texts in benchmarks/questions.jsonl 0.53 were answered unknown when each off-topic text
# was used once, 0.65 at 20.
_DEFAULT = Preset(
    input=InputSettings(TokenizerMode.TEXT, max_tokens=1024),
    vocabulary=5000,
    network=lambda labels, vocabulary: ConvLstmNetwork(
        labels, vocabulary, ratios=min(labels, 8), buckets=92_000 // max(4, min(labels, 8))
    ),
    recipe=Recipe.MIXED,
    optimizer="adamw",
    learning_rate=0.003,
    batch=64,
    epochs=5,
    validation=0.1,
    patience=3,
    augmentation=Augmentation(),
    extra_augmentation=Augmentation(segments=1, version_segments=1, title=False),
    teacher_share=0.5,
    rows=6000,
    informative_vocabulary=True,
    extra_texts=True,
    off_topic_repeats=20,
    ratios=True,
    word_dropout=0.15,
    batches=100,
)


def _in_steps(bytes_of_buckets: int, embedding: int, filters: int, units: int) -> Callable[[int, int], NetworkSettings]:
    """A network that reads in steps, whose bigrams have so many bytes: a bucket has one per channel of ratios."""

    def network(labels: int, vocabulary: int) -> StepLstmNetwork:
        ratios = min(labels, 8)
        return StepLstmNetwork(
            labels,
            vocabulary,
            embedding=embedding,
            ratios=ratios,
            buckets=bytes_of_buckets // max(4, ratios),
            filters=filters,
            units=units,
        )

    return network


# The network was chosen on 2,000 validation texts, masked, with a vocabulary of 5,000, 92,000 bytes of buckets and the
# linear teacher; µs: the graph, per text of 192 tokens. Runs of one setting differ by 0.005 in the log loss.
#
#   step  the LSTM's input                                   filters  units  log loss   µs
#     16  a dense layer over all features of the tokens           32     32     0.269   26
#     16  a dense layer over their maximum and their sum          32     32     0.267   22
#     16  the same                                                48     32     0.265   25  taken
#     16  a dense layer over all three                            32     32     0.267   29
#     24  a dense layer over their maximum and their sum          48     32     0.270   21
#   the network of the default preset                                           0.260   57
#
# Then, with two seeds each, a word dropout of 0.25 in place of 0.15: 0.262 and 0.280 in place of 0.265 and 0.285. A
# teacher's share of 0.3 or 0.8 (0.275, 0.287 for the first row), padding before texts in training, so that steps begin at
# any token (0.281), and steps that overlap (0.274) did not help.
#
# The rest was chosen with all public texts, by the log loss of the same 2,000 texts and of 1,387 real titles, in 6 epochs:
#
#   preset      vocabulary  embedding  buckets, bytes  teacher    log loss  of titles
#   fast              5000         16          92,000  NB-SVM       0.234      0.365  (4 epochs)
#   fast              5000         16          92,000  ensemble      0.225      0.357
#   fast              8000         12          60,000  ensemble      0.219      0.351
#   fast              8000         12          70,000  ensemble      0.221      0.346  taken, with word_dropout_tokens
#   fast              8000         12          70,000  ensemble      0.225      0.355  8 epochs
#   fast             10000          8          40,000  ensemble      0.231      0.354
#   fast-tiny         1900          8           8,000  ensemble      0.279      0.439
#   fast-tiny         1800          8          16,000  ensemble      0.269      0.435  taken, with 17,000
#   fast-tiny         1800          6          20,000  ensemble      0.275      0.430
#   fast-large       24000         16         200,000  ensemble      0.218      0.323  taken, with 280,000
#
# 57,000 titles of a label in place of 25,000: 0.229 and 0.332.
_FAST = replace(
    _DEFAULT,
    input=InputSettings(TokenizerMode.TEXT, max_tokens=384, step=16),
    vocabulary=8000,
    network=_in_steps(70_000, embedding=12, filters=48, units=32),
    recipe=Recipe.FAST,
    rows=None,
    teacher="ensemble",
    word_dropout=0.25,
    word_dropout_tokens=64,
    epochs=6,
)

PRESETS = {
    "default": _DEFAULT,
    "fast": _FAST,
    "fast-large": replace(_FAST, vocabulary=24_000, network=_in_steps(280_000, embedding=16, filters=64, units=48)),
    "fast-tiny": replace(
        _FAST,
        vocabulary=1800,
        network=_in_steps(17_000, embedding=8, filters=24, units=16),
        recipe=Recipe.MIXED,
    ),
    "tiny": replace(
        _DEFAULT,
        vocabulary=1400,
        rows=1500,
        network=lambda labels, vocabulary: ConvLstmNetwork(
            labels, vocabulary, embedding=8, ratios=min(labels, 4), buckets=4000, filters=24, units=16
        ),
    ),
    # As published, except for its split and its random numbers, which are not known.
    "seed": Preset(
        input=InputSettings(TokenizerMode.WHITESPACE, max_tokens=100, pad_to=100),
        vocabulary=1000,
        network=SeedNetwork,
        recipe=Recipe.FLOAT32,
        optimizer="rmsprop",
        learning_rate=0.001,
        batch=124,
        epochs=20,
        validation=0.25,
        patience=None,
    ),
}
