"""``Report`` -> one HTML page with everything in it: no file beside it, no request, no script but its own.

Its charts are drawn in the browser by Vega-Lite, from vl-convert-python; the page has their figures as tables, too.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sotag_convert.report.charts import (
    Chart,
    calibration_chart,
    comparison_chart,
    coverage_chart,
    length_chart,
    score_chart,
    threshold_chart,
    training_charts,
)
from sotag_convert.report.confusions import confusion_chart
from sotag_convert.report.content import Report
from sotag_convert.report.details import Details, Mistake
from sotag_convert.report.evaluation import Evaluation, MultiLabelEvaluation, SingleLabelEvaluation
from sotag_convert.report.tables import confusion_table, data_facts, model_facts, tag_table, view_table
from sotag_edge.atomic import output_stream
from sotag_edge.decision import SingleLabel
from sotag_edge.explain import Effect
from sotag_edge.page import highlighted
from sotag_edge.page import style as page_style

_FOLDER = Path(__file__).parent
_LONGEST = 4_000  # characters of a mistake's text
_MARKED = 8  # words of it
_LEAST = 0.25  # of the strongest effect in a text


@dataclass(frozen=True, slots=True)
class _Charts:
    """The charts of each section."""

    comparison: list[Chart]
    confusion: list[Chart]
    scores: list[Chart]
    lengths: list[Chart]
    training: list[Chart]

    @property
    def specs(self) -> dict[str, object]:
        """The specifications by name."""
        charts = [*self.comparison, *self.confusion, *self.scores, *self.lengths, *self.training]
        return {chart.name: chart.spec for chart in charts}


def write_report(report: Report, path: Path) -> None:
    """Write the page to a file, whole or not at all; it replaces an older one. Raises ``UsageError`` if it cannot."""
    content = page(report)
    with output_stream(path) as stream:
        stream.write(content)


def page(report: Report) -> str:
    """The page."""
    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    environment.trim_blocks = environment.lstrip_blocks = True
    bundle: str = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its type says that it needs an argument
    scripts = [bundle, _text("report.js")]
    style = page_style() + _text("report.css")
    evaluation = report.evaluation
    charts = _charts(report, evaluation)
    single = evaluation if isinstance(evaluation, SingleLabelEvaluation) else None
    return environment.get_template("report.html").render(
        report=report,
        evaluation=evaluation,
        is_single=single is not None,
        charts=charts,
        views=view_table(report.views),
        tags=tag_table(evaluation, report.training_texts) if evaluation else None,
        confusions=confusion_table(single) if single else None,
        mistakes=[(mistake, _marked(mistake)) for mistake in report.details.mistakes] if report.details else [],
        model_facts=model_facts(report),
        data_facts=data_facts(report),
        style=Markup(style),  # noqa: S704  # files of the package
        scripts=[Markup(script) for script in scripts],  # noqa: S704
        policy=_policy(scripts, style),
    )


def _charts(report: Report, evaluation: Evaluation | None) -> _Charts:
    details = report.details
    name = evaluation.figure_name if evaluation else "accuracy"
    return _Charts(
        [comparison_chart(evaluation, report.references)] if evaluation else [],
        [confusion_chart(evaluation)] if isinstance(evaluation, SingleLabelEvaluation) else [],
        _score_charts(report, evaluation, details) if details else [],
        [length_chart(details.lengths, name)] if details and len(details.lengths) > 1 else [],
        training_charts(report.history, name),
    )


def _score_charts(report: Report, evaluation: Evaluation | None, details: Details) -> list[Chart]:
    several = isinstance(evaluation, MultiLabelEvaluation)
    charts = [
        calibration_chart(details.calibration, "share of right tags" if several else "accuracy"),
        score_chart(details.calibration, "scores" if several else "texts"),
    ]
    decision = report.manifest.decision
    if isinstance(evaluation, SingleLabelEvaluation) and isinstance(decision, SingleLabel):
        return [*charts, coverage_chart(details.coverage, evaluation, decision.threshold)]
    return [*charts, threshold_chart(details.thresholds)]


def _marked(mistake: Mistake) -> Markup:
    """The text of a mistake as far as the model reads it, with the words of the strongest effects marked."""
    text = mistake.text
    kept = [effect for effect in mistake.effects if effect.end <= _LONGEST]
    end = kept[-1].end if kept else min(len(text), _LONGEST)
    strongest = sorted(kept, key=lambda effect: -abs(effect.effect))[:_MARKED]
    marked = [effect for effect in strongest if abs(effect.effect) >= _LEAST * abs(strongest[0].effect)]
    shown = sorted(marked, key=lambda effect: effect.start)
    rest = Effect("", end, end, 0.0)  # so that what is between the last mark and the end is not taken for unread
    return Markup(highlighted(text[:end], [*shown, rest])) + (" …" if text[end:].strip() else "")  # noqa: S704


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _policy(scripts: list[str], style: str) -> str:
    """What the browser allows the page: its own scripts and style, known by their hashes, and nothing else."""
    allowed = " ".join(map(_hash, scripts))
    nothing = "default-src 'none'; connect-src 'none'; base-uri 'none'; form-action 'none'"
    return f"{nothing}; script-src {allowed}; style-src {_hash(style)}"


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
