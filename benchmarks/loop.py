"""The bare loop that the command's stream is compared with: ``python benchmarks/loop.py LINES``, one label per line."""

import sys

from sotag_edge import Classifier

classify = Classifier.load().classify
with open(sys.argv[1], encoding="utf-8") as lines:
    for line in lines:
        print(classify(line[:-1]).label)
