"""An explanation -> its text in colours, and the tokens of the greatest effect."""

from __future__ import annotations

from sotag_edge.explain import Effect, Explanation
from sotag_edge.formats.fields import printable
from sotag_edge.formats.writers import Color, make_console

_SHOWN = 10  # tokens in the list
_LEAST = 0.01  # of an effect that is coloured
_STRONG = 0.1


def print_explanation(explanation: Explanation, color: Color) -> None:
    """Print the text, green what speaks for the tag and red what speaks against it, and the strongest tokens."""
    import sys

    from rich.text import Text

    console = make_console(sys.stdout, color)
    answer = explanation.prediction
    reason = f" ({answer.reason.value}; the best guess is {printable(answer.best_guess)})" if answer.reason else ""
    console.print(f"{printable(answer.label)} {answer.score:.2f}{reason}", soft_wrap=True)
    text = Text()
    end = 0
    for effect in explanation.effects:
        text.append(_lines(explanation.text[end : effect.start]))
        text.append(_lines(explanation.text[effect.start : effect.end]), style=_style(effect))
        end = effect.end
    text.append(_lines(explanation.text[end:]), style="dim")
    console.print(text, soft_wrap=True)
    strongest = sorted(explanation.effects, key=lambda effect: -abs(effect.effect))[:_SHOWN]
    for effect in strongest:
        if abs(effect.effect) >= _LEAST:
            console.print(
                Text(f"{effect.effect:+.2f}  {printable(effect.token)}", style=_style(effect)), soft_wrap=True
            )


def _style(effect: Effect) -> str:
    if abs(effect.effect) < _LEAST:
        return ""
    return ("bold " if abs(effect.effect) >= _STRONG else "") + ("green" if effect.effect > 0 else "red")


def _lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))
