"""Data and a preset -> a published bundle: split, vocabulary, fit, export, verify, in one run with one seed."""

from __future__ import annotations

import random
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy
from numpy.typing import NDArray

from sotag_convert import augment, publish, teacher
from sotag_convert.dataset import Dataset, Examples
from sotag_convert.fit import Epoch, History, Ids, Progress, Validation, fit
from sotag_convert.network import ConvLstmNetwork, Network, Scores, tf_keras
from sotag_convert.presets import PRESETS, Preset
from sotag_convert.publish_bundle import write_bundle
from sotag_convert.recipes import Recipe
from sotag_convert.verify import Verification
from sotag_edge.bundle import InputSettings
from sotag_edge.tokenizer import tokenize
from sotag_edge.vocabulary import Vocabulary
