"""Log-count ratios: how much each feature speaks for each label, which embeddings start from.

Source: Wang and Manning, "Baselines and Bigrams", ACL 2012.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD

from sotag_convert.learn.corpus import Ragged, presence

if TYPE_CHECKING:
    from sotag_convert.learn.training_set import TrainingSet
    from sotag_convert.network.architectures import NetworkSettings

Floats = NDArray[np.float32]

_SMOOTHING = 0.3
_RATIO_SCALE = 0.3  # brings log-count ratios, -5 to 5, near the size of a fresh embedding's numbers


def log_count_ratios(counts: sparse.csr_matrix, members: NDArray[np.bool_], smoothing: float) -> Floats:
    """How much each feature speaks for each label: log of its share in the label's texts over its share in the others.

    ``counts``: shape [texts, features]; ``members``: which labels each text has, shape [texts, labels]; ``smoothing`` is
    added to each sum. Returns shape [features, labels]; a feature that is as frequent in both has 0.

    >>> members = np.array([[True, False], [False, True]])
    >>> log_count_ratios(np.array([[3, 1], [1, 3]]), members, smoothing=1).astype(float).round(2).tolist()
    [[0.69, -0.69], [-0.69, 0.69]]
    """
    total = np.asarray(counts.sum(axis=0)).ravel()
    columns = []
    for label in range(members.shape[1]):
        of_label = np.asarray(counts[members[:, label]].sum(axis=0)).ravel()
        in_label, in_others = of_label + smoothing, total - of_label + smoothing
        columns.append(np.log((in_label / in_label.sum()) / (in_others / in_others.sum())))
    ratios: Floats = np.stack(columns, axis=1).astype(np.float32)
    return ratios


def narrow(sets: Floats, columns: int) -> Floats:
    """Sets of ratios, shape [sets, features, labels], in at most ``columns`` columns instead of a column per label.

    Sets with few labels stay as they are. Others are projected on the strongest directions of the last set, the same
    directions for every set.
    """
    if sets.shape[2] <= columns:
        return sets
    if not sets[-1].any():
        return sets[:, :, :columns]
    directions = TruncatedSVD(columns, random_state=0).fit(sets[-1]).components_
    narrowed: Floats = (sets @ directions.T).astype(np.float32)
    return narrowed


def fold_ratios(training_set: TrainingSet, settings: NetworkSettings) -> dict[str, NDArray[np.float32]]:
    """Log-count ratios for the embeddings of a network that start from them: by name, shape [FOLDS + 1, rows, channels].

    Set ``n`` is computed from the texts outside fold ``n``, and the texts in it are trained with it. The last set is
    computed from all texts. A network trusts ratios too much that a text has had a part in: on a validation split it lost
    0.5 points. A label with few texts has ratios of 0.
    """
    from sotag_convert.learn.training_set import ENOUGH, FOLDS  # loads TensorFlow, which log_count_ratios does without

    texts = training_set.ids
    last = np.zeros(len(texts.values), bool)
    last[texts.starts[1:] - 1] = True
    features = settings.features(texts.values, last)
    members = training_set.members[:, : training_set.labels]
    rare = members[training_set.fitted].sum(axis=0) < ENOUGH
    parts = [training_set.folds != fold for fold in range(FOLDS + 1)]
    ratios = {}
    for name, (rows, channels) in settings.ratio_tables().items():
        counts = presence(Ragged(features[name].astype(np.int32), texts.starts), rows)
        sets = np.stack([log_count_ratios(counts[part], members[part], _SMOOTHING) for part in parts])
        sets[:, :, rare] = 0
        ratios[name] = _RATIO_SCALE * narrow(sets, channels)
    return ratios
