"""Write the cards of the models that come with sotag-edge again, from their metrics. Needs the extra ``[evaluate]``."""

from __future__ import annotations

import json
from pathlib import Path

from sotag_convert.report.card import card
from sotag_edge.bundle import MANIFEST, METRICS, Manifest

for folder in (path.parent for path in (Path(__file__).parent.parent / "models").glob(f"*/{MANIFEST}")):
    text = card(folder.name, Manifest.read(folder), json.loads((folder / METRICS).read_bytes()))
    (folder / "README.md").write_text(text, encoding="utf-8")
