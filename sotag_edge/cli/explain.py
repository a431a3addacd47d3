"""``sotag-edge explain``."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Literal, Optional, TextIO

import typer

from sotag_edge.atomic import output_stream
from sotag_edge.classifier import Classifier
from sotag_edge.cli import options
from sotag_edge.cli.loading import loading_numpy
from sotag_edge.errors import UsageError
from sotag_edge.explain import LEAST, Effect, Explanation
from sotag_edge.explain import explain as explain_text
from sotag_edge.formats import FORMATS, Layout, read_documents
from sotag_edge.formats.fields import named
from sotag_edge.terminal import Color, make_console, printable, printable_lines

_SHOWN = 10  # tokens in the list
_STRONG = 0.1


def explain(
    path: Annotated[
        Optional[str], typer.Argument(help="A file with one text; '-' is standard input.", show_default=False)
    ] = None,
    text: Annotated[Optional[str], typer.Option("--text", help="The text itself.")] = None,
    model: options.Model = None,
    label: Annotated[
        Optional[str], typer.Option("--label", metavar="TAG", help="The tag to explain. [default: the best guess]")
    ] = None,
    to: Annotated[
        Literal["table", "json", "html"], typer.Option("--to", help="The format of the output; html is a whole page.")
    ] = "table",
    output: options.OutputFile = None,
    color: options.UseColor = Color.AUTO,
) -> None:
    """Show which words of a text led to its tag: by how much the score drops without each of them.

    Example: sotag-edge explain question.txt

    Example: sotag-edge explain --text "How do I merge two pandas data frames?" --to json

    Example: sotag-edge explain question.txt --label java

    Example: sotag-edge explain question.txt --to html --output why.html
    """
    if (path is None) == (text is None):
        raise UsageError("name one text: a file, '-' for standard input, or --text")
    if text is None:
        document = next(read_documents([path or "-"], sys.stdin.buffer, input_format=FORMATS["text"]))
        if document.error:
            raise document.error
        text = document.text
    with loading_numpy():
        classifier = Classifier.load(model)
    explanation = explain_text(classifier, text, label)
    layout = Layout(classifier.labels, multi_label=classifier.is_multi_label, color=color)
    with output_stream(output) as stream:
        if to == "table":
            _print(explanation, layout, stream)
        elif to == "json":
            print(json.dumps(_to_json(explanation, layout)), file=stream)
        else:
            stream.write(_page(explanation, layout, classifier.bundle.path.name))


def _page(explanation: Explanation, layout: Layout, model: str) -> str:
    from sotag_edge.page import explained, page, text_of

    body = f"<h1>{text_of(model)}</h1>{explained(explanation, layout.labels)}"
    return page(named(explanation.prediction, layout), body)


def _to_json(explanation: Explanation, layout: Layout) -> dict[str, object]:
    answer = explanation.prediction
    return {
        "schema_version": 1,
        "label": answer.label,
        **({"labels": list(answer.labels)} if layout.multi_label else {}),
        "best_guess": answer.best_guess,
        "score": round(answer.score, 6),
        "reason": answer.reason.value if answer.reason else None,
        **({"truncated": True} if answer.truncated else {}),
        "explained": {"label": explanation.label, "score": round(explanation.score, 6)},
        "tokens": [{"token": effect.token, "effect": round(effect.effect, 6)} for effect in explanation.effects],
    }


def _print(explanation: Explanation, layout: Layout, stream: TextIO) -> None:
    """Print the answer, the text with its tokens coloured by effect, and the tokens with the strongest effects."""
    from rich.text import Text

    console = make_console(stream, layout.color)
    answer = explanation.prediction
    reason = f" ({answer.reason.value}; the best guess is {printable(answer.best_guess)})" if answer.reason else ""
    if explanation.label != answer.best_guess:
        reason += f" (below: the effects on {printable(explanation.label)}, whose score is {explanation.score:.2f})"
    elif len(answer.labels) > 1:
        reason = f" (below: the effects on {printable(explanation.label)})"
    console.print(f"{printable(named(answer, layout))} {answer.score:.2f}{reason}", soft_wrap=True)
    text = Text()
    end = 0
    for effect in explanation.effects:
        text.append(printable_lines(explanation.text[end : effect.start]))
        text.append(printable_lines(explanation.text[effect.start : effect.end]), style=_style(effect))
        end = effect.end
    text.append(printable_lines(explanation.text[end:]), style="dim")
    console.print(text, soft_wrap=True)
    effects = [effect for effect in explanation.effects if abs(effect.effect) >= LEAST]
    if not effects:
        console.print(f"no single word changes the score by {LEAST} or more", soft_wrap=True)
    for effect in sorted(effects, key=lambda effect: -abs(effect.effect))[:_SHOWN]:
        console.print(Text(f"{effect.effect:+.2f}  {printable(effect.token)}", style=_style(effect)), soft_wrap=True)


def _style(effect: Effect) -> str:
    """Green for a token that supports the tag, red for one that opposes it."""
    if abs(effect.effect) < LEAST:
        return ""
    return ("bold " if abs(effect.effect) >= _STRONG else "") + ("green" if effect.effect > 0 else "red")
