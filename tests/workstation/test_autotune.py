"""`--autotune`: a search for settings that is never worse than the preset, ends in time, and can be repeated."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sotag_convert.cli.units import parsed_duration
from sotag_convert.data.dataset import Examples
from sotag_convert.learn import autotune
from sotag_convert.learn.autotune import Outcome, Search, Tuned, best_settings, searched
from sotag_convert.learn.cross_validation import Run
from sotag_convert.learn.fit import FITTING, History
from sotag_convert.learn.presets import PRESETS, Preset
from sotag_convert.learn.search_space import described, with_values
from sotag_convert.learn.sizing import plan
from sotag_convert.progress import SilentProgress, SilentStage, Stage
from sotag_convert.report.card import card
from sotag_convert.run_state import RunState
from sotag_convert.source import Source
from sotag_convert.training import train_dataset
from sotag_edge.bundle import Manifest, device_bytes
from sotag_edge.errors import InputError, ModelError, UsageError
from tests.conftest import FIXTURE
from tests.workstation.small import SMALL, noisy_dataset

TRIED = replace(SMALL, rows=40)
DATA = noisy_dataset(40)


class Lines(SilentProgress):
    """Keeps the lines that are shown. As on the command line, a stage may have stages in it, and those have none."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._depth = 0

    @contextmanager
    def stage(self, name: str, steps: int | None = None) -> Iterator[Stage]:
        assert self._depth < 2, name
        self._depth += 1
        try:
            yield SilentStage()
        finally:
            self._depth -= 1

    def say(self, text: str) -> None:
        self.lines.append(text)

    warn = say


def run_of(settings: Preset = TRIED, seed: int = 1) -> Run:
    return Run(DATA, "small", settings, 4, seed, Lines(), RunState(Path("/nowhere/m")))


def search_of(run: Run, seconds: float = 3600, sized: Callable[[Preset], Preset] = lambda preset: preset) -> Tuned:
    return best_settings(run, DATA.train, DATA.train, Search(seconds, True, sized))


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """The runs of the trials. None is trained: the loss is the distance of the learning rate from 0.004, for five trials."""
    runs: list[Run] = []

    def trial(run: Run, training: Examples, held_out: Examples, number: int) -> Outcome:
        runs.append(run)
        assert number == len(runs)
        return Outcome(abs(run.settings.learning_rate - 0.004), 0.5)

    monkeypatch.setattr(autotune, "_tried", trial)
    monkeypatch.setattr(autotune, "_is_time", lambda *given: given[-1] < 5)
    return runs


def values(run: Run) -> dict[str, float]:
    return described(run.settings, run.epochs, 2)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("1h", 3600), ("1.5 H", 5400), ("2min", 120)])
def test_durations_are_read(text: str, seconds: int) -> None:
    """Seconds, minutes and hours."""
    assert parsed_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "0s", "-1m", "1d", "inf", "10m30s"])
def test_no_other_durations_are_read(text: str) -> None:
    """A number without a unit could be either."""
    with pytest.raises(UsageError, match="for --autotune: write 90s, 10m or 1h"):
        parsed_duration(text)


def test_the_first_trial_is_the_preset(tried: list[Run]) -> None:
    """With all its settings; the next ones have others, in their ranges."""
    search_of(run_of())
    assert values(tried[0]) == described(TRIED, 4, 2)
    assert tried[0].settings.network(2, 100) == TRIED.network(2, 100)
    for run in tried[1:]:
        network = run.settings.network(2, 100)
        assert values(run) != values(tried[0])
        assert TRIED.vocabulary / 2 <= run.settings.vocabulary <= TRIED.vocabulary * 2
        assert 2 <= run.epochs <= 8
        assert 4 <= network.units <= 12
        assert run.settings.input == TRIED.input


def test_the_best_settings_are_kept(tried: list[Run]) -> None:
    """Those of the trial with the lowest loss, and each trial's figures are shown in one line."""
    run = run_of()
    tuned = search_of(run)
    losses = [abs(trial.settings.learning_rate - 0.004) for trial in tried]
    best = tried[losses.index(min(losses))]
    assert (tuned.trials, tuned.loss) == (5, min(losses))
    assert tuned.values["epochs"] == best.epochs
    assert values(best) == described(with_values(TRIED, tuned.values), best.epochs, 2)
    assert losses.index(min(losses)) > 0
    assert isinstance(run.progress, Lines)
    assert len(run.progress.lines) == 5
    assert run.progress.lines[0].startswith(
        f"trial 1: log loss {losses[0]:.4f} (best {losses[0]:.4f}), accuracy 0.5000, 0 s"
    )


def test_the_same_seed_tries_the_same(tried: list[Run]) -> None:
    """Another seed tries other settings, after the preset's own."""
    tries = []
    for seed in (1, 1, 2):
        search_of(run_of(seed=seed))
        tries.append([values(run) for run in tried])
        tried.clear()
    assert tries[0] == tries[1]
    assert tries[2][0] == tries[0][0]
    assert tries[2][1:] != tries[0][1:]


def test_the_number_of_epochs_may_be_fixed(tried: list[Run]) -> None:
    """By `--epochs`."""
    best_settings(run_of(), DATA.train, DATA.train, Search(60, False, lambda preset: preset))
    assert {run.epochs for run in tried} == {4}


def test_every_trial_obeys_the_size(tried: list[Run]) -> None:
    """Each is planned for it."""
    run = run_of(PRESETS["tiny"])
    search_of(run, sized=lambda preset: plan(preset, 70_000, DATA.labels, "d", multi_label=False, off_topic=False))
    assert len({trial.settings.room for trial in tried} - {None}) == 1
    assert len({trial.settings.vocabulary for trial in tried}) > 1


def test_at_least_one_trial_is_finished(tried: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    """However little time there is; no trial begins that would end too late."""
    monkeypatch.undo()
    monkeypatch.setattr(autotune, "_tried", lambda *_: Outcome(1.0, 0.5))
    assert search_of(run_of(), seconds=1e-9).trials == 1
    monkeypatch.setattr(autotune.time, "monotonic", lambda: 100.0)
    assert autotune._is_time(0, 151, 2)
    assert not autotune._is_time(0, 149, 2)


@pytest.mark.parametrize("finished", [0, 2])
def test_ctrl_c_keeps_the_best(finished: int, tried: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of the trials before, or the preset's."""
    trial = autotune._tried
    monkeypatch.setattr(autotune, "_tried", lambda *given: trial(*given) if len(tried) < finished else None)
    run = run_of()
    tuned = search_of(run)
    assert tuned.trials == finished
    best = min(tried, key=lambda trial: abs(trial.settings.learning_rate - 0.004), default=run)
    assert described(with_values(TRIED, tuned.values), tuned.values["epochs"], 2) == values(best)
    assert isinstance(run.progress, Lines)
    assert run.progress.lines[-1].startswith(f"the search was stopped, trials finished: {finished};")


def test_what_ctrl_c_does_in_a_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the training of a network the first one is noted and the second one raises; elsewhere the first one raises."""

    def stopped(stage: str) -> Outcome | None:
        def fit(*given: object) -> None:
            with given[6].stage(stage):  # type: ignore[attr-defined]
                raise KeyboardInterrupt

        monkeypatch.setattr(autotune, "fit_parts", fit)
        return autotune._tried(run_of(), DATA.train, DATA.train, 1)

    assert stopped("preparing the texts") is None
    with pytest.raises(KeyboardInterrupt):
        stopped(FITTING)
    parts = type("Parts", (), {"history": History((), 1, interrupted=True)})
    monkeypatch.setattr(autotune, "fit_parts", lambda *_: parts)
    assert autotune._tried(run_of(), DATA.train, DATA.train, 1) is None
    parts.history = History((), 1, interrupted=True, abandoned=True)
    with pytest.raises(KeyboardInterrupt):
        autotune._tried(run_of(), DATA.train, DATA.train, 1)


def test_a_resumed_run_does_not_search_again(tried: list[Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the settings that the interrupted run chose. A file with other contents is damaged."""
    monkeypatch.setitem(PRESETS, "small", TRIED)
    state = RunState(tmp_path / "m")
    run = run_of()._replace(state=state)
    search = Search(60, True, lambda preset: preset)
    first, figures = searched(run, DATA.train, DATA.train, search)
    assert figures["trials"] == len(tried) == 5
    assert values(first) == figures["settings"] != values(run)
    again, same = searched(run, DATA.train, DATA.train, search)
    assert (values(again), same, len(tried)) == (values(first), figures, 5)
    file = state.fit_file("search")
    content = file.read(0)
    assert content is not None
    sound = content.facts["values"]
    for wrong in (None, sound | {"rows": 10**6}, sound | {"units": 0.6}, sound | {"dropout": "x"}, {"rows": 40}):
        file.write({"values": wrong, "trials": 5}, [])
        with pytest.raises(InputError, match=r"search\.state is damaged"):
            searched(run, DATA.train, DATA.train, search)
    with pytest.raises(UsageError, match="needs validation texts"):
        searched(run, DATA.train, None, search)


def test_a_network_with_too_many_weights_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is worse than any other."""
    monkeypatch.setattr(autotune, "fit_parts", lambda *_: pytest.fail("tried"))
    outcome = autotune._tried(run_of(replace(TRIED, rows=10**7)), DATA.train, DATA.train, 1)
    assert outcome == Outcome(float("inf"), 0.0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"validation": 0}, "autotune needs validation texts"),
        ({"autotune": 0}, "autotune must be a number of seconds above 0"),
        ({"autotune": float("nan")}, "autotune must be a number of seconds above 0"),
        ({"preset": "seed"}, "this preset has no linear branch: autotune needs the preset default or tiny"),
        ({"preset": "fast"}, "this preset has no linear branch: autotune needs the preset default or tiny"),
    ],
)
def test_settings_that_allow_no_search(tmp_path: Path, settings: dict[str, object], words: str) -> None:
    """Are refused before anything is trained."""
    with pytest.raises(UsageError, match=words):
        train_dataset(DATA, tmp_path / "m", **({"autotune": 1} | settings))  # type: ignore[arg-type]


def test_a_searched_model_is_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Really trained: two trials and the final run. Metrics and card have their number and the settings; both are read
    again, and checked."""
    monkeypatch.setitem(PRESETS, "small", replace(TRIED, epochs=1, off_topic_repeats=1))
    monkeypatch.setattr(autotune, "_is_time", lambda *given: given[-1] < 2)
    progress = Lines()
    folder = tmp_path / "m"
    train_dataset(DATA, folder, preset="small", validation=0.25, autotune=1, max_size=50_000, progress=progress)
    assert device_bytes(folder) <= 50_000
    training = json.loads((folder / "metrics.json").read_bytes())["training"]
    assert training["trials"] == 2
    assert training["settings"]["epochs"] in {1, 2}
    assert set(training["settings"]) == set(described(TRIED, 1, 2))
    assert "| settings | the best of 2 tried: vocabulary" in (folder / "README.md").read_text()
    losses = [float(line.split("log loss ")[1].split()[0]) for line in progress.lines if line.startswith("trial ")]
    assert len(losses) == 2
    assert Source.read(folder).metrics["training"]["settings"] == training["settings"]
    metrics = json.loads((folder / "metrics.json").read_bytes())
    for wrong in ([], {"a": "b"}, {"a|b": 1}, {"a" * 51: 1}, {f"a{n}": n for n in range(101)}):
        metrics["training"]["settings"] = wrong
        (folder / "metrics.json").write_text(json.dumps(metrics))
        with pytest.raises(ModelError, match="'settings' is not a figure"):
            Source.read(folder)


def test_a_card_without_a_search_has_no_settings() -> None:
    """The row is only there where a search chose them."""
    metrics = json.loads((FIXTURE / "metrics.json").read_bytes())
    assert "| settings |" not in card("m", Manifest.read(FIXTURE), metrics)
