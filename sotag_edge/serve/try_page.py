"""The page to try a model: a form, and below it the explanation of the text that was sent. It works without a script."""

from __future__ import annotations

from collections.abc import Mapping

from sotag_edge.classifier import Classifier
from sotag_edge.explain import Explanation
from sotag_edge.page import explained, page, text_of

_MOST_TAGS = 10  # in the sentence about a model


def try_page(
    models: Mapping[str, Classifier],
    model: str,
    text: str = "",
    explanation: Explanation | None = None,
    error: str = "",
) -> str:
    """The page as HTML. ``model``: the name of the chosen one; ``error``: a sentence in place of the explanation."""
    answer = ""
    if explanation:
        answer = explained(explanation, models[model].answerable)
    elif error:
        answer = f'<p role="alert">{text_of(error)}</p>'
    focus = "" if answer else " autofocus"
    title = explanation.prediction.label if explanation else "Try the model"
    # A first line end of a textarea is dropped by the browser.
    form = f"""\
<h1>sotag-edge</h1>
<form method="post" action="/">
{_choice(models, model)}
<label for="text">Text</label>
<textarea id="text" name="text" rows="10" required{focus} spellcheck="false">
{text_of(text)}</textarea>
<button>Tag it</button>
</form>
<section aria-live="polite" aria-label="Answer">
{answer}
</section>
<footer class="quiet">For programs: <code>POST /classify</code>; see <a href="/openapi.json">openapi.json</a>,
<a href="/models">models</a> and <a href="/metrics">metrics</a>.</footer>"""
    return page(title, form)


def _choice(models: Mapping[str, Classifier], chosen: str) -> str:
    """The model, to choose if there are several; and its tags."""
    if len(models) == 1:
        tags = models[chosen].answerable
        shown = ", ".join(tags[:_MOST_TAGS]) + (f" and {len(tags) - _MOST_TAGS} more" if len(tags) > _MOST_TAGS else "")
        return f'<p class="quiet">The model {text_of(chosen)} answers with {text_of(shown)}, or unknown.</p>'
    options = "".join(
        f'<option value="{text_of(name)}"{" selected" if name == chosen else ""}>{text_of(name)}</option>'
        for name in models
    )
    return f'<label for="model">Model</label> <select id="model" name="model">{options}</select>'
