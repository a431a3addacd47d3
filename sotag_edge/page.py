"""An ``Explanation`` as HTML: the same component in ``explain --to html``, on the page of ``serve`` and in the report.

Everything that comes from a text or a model is escaped here. A page has no script, and a policy that allows none.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path

from sotag_edge.explain import LEAST, Effect, Explanation
from sotag_edge.terminal import printable_lines

_STRENGTHS = (0.3, 0.1, LEAST)  # from which effect on a colour is used, the strongest colour first
_MOST_SCORES = 5
_MOST_WORDS = 10
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


@cache
def style() -> str:
    """The style sheet: colours, as custom properties, in light and dark; and the rules of the component."""
    return Path(__file__).with_name("page.css").read_text(encoding="utf-8")


def policy(css: str) -> str:
    """A content security policy that allows this style and a form that is sent to the page's own server; nothing else."""
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'"


def page(title: str, body: str) -> str:
    """A whole page. ``title`` is text; ``body`` is HTML."""
    css = style()
    return _PAGE.format(policy=policy(css), title=text_of(title), style=css, body=body)


def explained(explanation: Explanation, labels: Sequence[str]) -> str:
    """The answer, the scores, and the text with the words that led to it. ``labels``: those that may be answered."""
    answer = explanation.prediction
    named = ", ".join(answer.labels) or answer.label
    reason = f"{answer.reason.value}; the best guess is {answer.best_guess}" if answer.reason else ""
    lines = [
        f'<p class="answer"><strong>{text_of(named)}</strong> <span class="quiet">{answer.score:.2f}</span></p>',
        f'<p class="quiet">{text_of(reason)}</p>' if reason else "",
        _scores({label: answer.scores[label] for label in labels if label in answer.scores}),
        f"<h2>Words that made the score of {text_of(explanation.label)}</h2>",
        '<p class="quiet">Solid underline: the score is higher with the word. Dashed underline: it is lower.</p>',
        f'<div class="text" dir="auto">{highlighted(explanation.text, explanation.effects)}</div>',
        _words(explanation.effects),
    ]
    return "\n".join(line for line in lines if line)


def highlighted(text: str, effects: Sequence[Effect]) -> str:
    """The text as HTML, each token marked by its effect. What follows the last token was not read.

    >>> highlighted("a <b>", [Effect("a", 0, 1, 0.2)])
    '<mark class="for-2" title="+0.20">a</mark><span class="unread"> &lt;b&gt;</span>'
    """
    parts = []
    end = 0
    for effect in effects:
        token = text_of(text[effect.start : effect.end])
        strength = _strength(effect.effect)
        if strength:
            token = f'<mark class="{strength}" title="{effect.effect:+.2f}">{token}</mark>'
        parts += [text_of(text[end : effect.start]), token]
        end = effect.end
    if rest := text_of(text[end:]):
        parts.append(f'<span class="unread">{rest}</span>')
    return "".join(parts)


def text_of(text: str) -> str:
    r"""Text as HTML. Characters that change the direction of writing, or that HTML does not allow, become U+FFFD.

    >>> text_of("<b>\x00")
    '&lt;b&gt;\ufffd'
    """
    return escape(printable_lines(text))


def _strength(effect: float) -> str:
    """The class of a mark, from 1 to 3; empty for an effect that is too small to show.

    >>> [_strength(effect) for effect in (0.5, -0.1, 0.02, 0.001)]
    ['for-3', 'against-2', 'for-1', '']
    """
    for number, least in zip((3, 2, 1), _STRENGTHS, strict=True):
        if abs(effect) >= least:
            return f"{'for' if effect > 0 else 'against'}-{number}"
    return ""


def _scores(scores: Mapping[str, float]) -> str:
    """A table with the best scores; the others can be unfolded."""
    ranked = sorted(scores.items(), key=lambda entry: -entry[1])
    rows = [
        f'<tr><th scope="row">{text_of(label)}</th><td><meter value="{score:.4f}" aria-hidden="true"></meter></td>'
        f'<td class="number">{score:.4f}</td></tr>'
        for label, score in ranked
    ]
    table = f'<table class="scores">{"".join(rows[:_MOST_SCORES])}</table>'
    rest = rows[_MOST_SCORES:]
    if rest:
        table += f'<details><summary>{len(rest)} more</summary><table class="scores">{"".join(rest)}</table></details>'
    return table


def _words(effects: Sequence[Effect]) -> str:
    """The tokens with the strongest effects, as a table."""
    shown = [effect for effect in effects if abs(effect.effect) >= LEAST]
    if not shown:
        return f'<p class="quiet">No single word changes the score by {LEAST} or more.</p>'
    strongest = sorted(shown, key=lambda effect: -abs(effect.effect))[:_MOST_WORDS]
    rows = (
        f'<tr><td class="number">{effect.effect:+.2f}</td><td>{text_of(effect.token).strip() or "(line end)"}</td></tr>'
        for effect in strongest
    )
    return f'<table><tr><th scope="col">effect</th><th scope="col">word</th></tr>{"".join(rows)}</table>'
