"""A model from a stranger is run in a child process first, with limits, once on each machine.

A TFLite runtime trusts the file that it runs. Of 4,500 models with a few bytes changed, 1,405 killed the process, and others
ran for ever or took all memory. In a child process each of these is a sentence. A model that passed is remembered by the
hashes of its files in the user's cache. The models of the installed package are as trusted as its code.
"""

from __future__ import annotations

import hashlib
import json
import os
import select
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from sotag_edge import interpreter, models
from sotag_edge.bundle import MODEL, Bundle
from sotag_edge.errors import InputError, MissingDependencyError, ModelError, SotagEdgeError, UsageError
from sotag_edge.flatbuffer import check_flatbuffer
from sotag_edge.inputs import NetworkInput
from sotag_edge.vocabulary import UNKNOWN_ID

CACHE_VARIABLE = "SOTAG_EDGE_CACHE"
_TRIED = "models-tried"
_SECONDS = 30
_MEMORY = 1024**3  # bytes more than this process has
_TEXTS = 20  # random ones: one of each length up to this, and as many longer ones
_DONE, _ERROR = b"+", b"-"  # the first byte of a child's answer
_NO_MEMORY = 12  # the exit code of a child that wanted more
_KINDS = (InputError, UsageError, ModelError, MissingDependencyError)


class CrashError(Exception):
    """A child process did not end by itself. Its argument says how it ended, such as ``SIGSEGV``."""


def try_out(bundle: Bundle) -> None:
    """Run a bundle in a child process, unless it came with this package or has been run before on this machine.

    Raises ``ModelError`` if its file is not valid, or if it crashes, takes too much time or memory, or gives scores that
    are none.
    """
    if models.is_installed(bundle.path):
        return
    cache = _cache()
    record = cache and cache / _TRIED / _key(bundle)
    if record and os.path.exists(record):  # noqa: PTH110  # Path's raises for a folder that may not be searched
        return
    file = bundle.path / MODEL
    try:
        check_flatbuffer(bundle.model)
    except ModelError as error:
        raise ModelError(f"{file}: {error}") from error
    try:
        in_child(run_all, str(bundle.path), *bundle.manifest.hashes.values())
    except CrashError as crash:
        raise ModelError(
            f"{file} was tried in a process of its own, and ended it ({crash}): it is damaged, or made to do harm"
        ) from crash
    if record:
        with suppress(OSError):  # without a cache it is tried each time
            record.parent.mkdir(parents=True, exist_ok=True)
            record.touch()


def run_all(folder: str, *hashes: str) -> str:
    """Run the bundle in a folder on every id of its vocabulary, and on texts of many lengths. Raises ``ModelError``."""
    from sotag_edge.classifier import Classifier

    classifier = Classifier(Bundle.read(Path(folder)))
    if hashes != tuple(classifier.bundle.manifest.hashes.values()):
        raise ModelError(f"{folder} was changed while it was read: try again")
    for read in _inputs(classifier.bundle):
        classifier.scores(read)
        classifier.reading(read, to_the_end=True)
    return ""


def _inputs(bundle: Bundle) -> Iterator[NetworkInput]:
    """Every id and every row, and random texts of many lengths."""
    if bundle.features is None:
        yield from map(NetworkInput, _texts(bundle))
        return
    longest, end = bundle.manifest.input.max_tokens, len(bundle.vocabulary) + len(bundle.features)
    chunks = [list(range(first, min(first + longest, end))) for first in range(0, end, longest)]
    for number, ids in enumerate(_texts(bundle)):
        rows = chunks.pop() if chunks else [number % end] * (number + 1)
        yield NetworkInput(ids, [rows, [1 + number % _TEXTS] * len(rows)])
    for rows in chunks:
        yield NetworkInput([UNKNOWN_ID], [rows, [1] * len(rows)])


def _texts(bundle: Bundle) -> Iterator[list[int]]:
    import random

    settings, tokens = bundle.manifest.input, len(bundle.vocabulary)
    longest = settings.max_tokens
    yield settings.padded([UNKNOWN_ID])
    for first in range(UNKNOWN_ID, tokens, longest):
        yield settings.padded(list(range(first, min(first + longest, tokens))))
    draw = random.Random(0)
    for length in [*range(1, min(_TEXTS, longest) + 1), *(draw.randint(1, longest) for _ in range(_TEXTS)), longest]:
        yield settings.padded([draw.randrange(UNKNOWN_ID, tokens) for _ in range(length)])


def _key(bundle: Bundle) -> str:
    runtime = interpreter.libraries()[1].__name__.split(".")[0]
    # Its version is not asked of the package's metadata, which takes 15 ms.
    version = getattr(import_module(runtime), "__version__", None)
    manifest = bundle.manifest
    outputs = [manifest.labels, manifest.decision.kind, manifest.off_topic]
    facts = [manifest.hashes, repr(manifest.input), repr(manifest.early_exit), *outputs, runtime, version]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _cache() -> Path | None:
    """The user's cache: ``$SOTAG_EDGE_CACHE``, or the system's place; ``None`` for a user without a home."""
    if path := os.environ.get(CACHE_VARIABLE):
        return Path(path)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(os.path.expanduser(base), "sotag-edge")  # noqa: PTH111  # Path's raises without a home
    return folder if folder.is_absolute() else None  # never one of the current directory


def in_child(work: Callable[..., str], *arguments: str) -> str:
    """The result of a function of a module, called in a child process with limits on memory and time.

    Raises its ``SotagEdgeError`` as one of the same exit code, and ``CrashError`` if the process ends in another way.
    """
    # subtle: a fork works in every kind of installation, in a single file or a frozen one too, and costs milliseconds. But
    # with threads it may copy a lock that is held, and on macOS the system's libraries do not survive it.
    if sys.platform == "linux" and threading.active_count() == 1:
        code, answer = _forked(work, arguments)
    elif getattr(sys, "frozen", False):
        return work(*arguments)
    else:
        code, answer = _started(work, arguments)
    if answer.startswith(_DONE):
        return answer[len(_DONE) :].decode()
    if answer.startswith(_ERROR):
        exit_code, sentence = json.loads(answer[len(_ERROR) :])
        raise next(kind for kind in _KINDS if kind.exit_code == exit_code)(sentence)
    if code == _NO_MEMORY:
        raise CrashError("its memory ran out")
    if code == -signal.SIGKILL or code == -getattr(signal, "SIGXCPU", 0):
        raise CrashError(f"after {_SECONDS} seconds, or for its memory")
    raise CrashError(signal.Signals(-code).name if code < 0 else f"exit code {code}")


def _forked(work: Callable[..., str], arguments: tuple[str, ...]) -> tuple[int, bytes]:
    """The exit code of the child, negative for a signal, and its answer."""
    read, write = os.pipe()
    child = 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of NumPy's threads, which the child does not use
            parent, child = os.getpid(), os.fork()
        if child == 0:
            _be_child(work, arguments, write, parent)
        os.close(write)
        answer = _read_until(time.monotonic() + _SECONDS, read)
    finally:
        os.close(read)
        status = _ended(child) if child else 0
    return os.waitstatus_to_exitcode(status), answer


def _read_until(end: float, source: int) -> bytes:
    """What a pipe brings until it is closed, or until a time of the monotonic clock."""
    answer = b""
    while select.select([source], [], [], max(0, end - time.monotonic()))[0]:
        chunk = os.read(source, 1 << 16)
        if not chunk:
            break
        answer += chunk
    else:
        return b""
    return answer


def _ended(child: int) -> int:
    """The status of a child, which is ended if it still runs."""
    try:
        for _ in range(100):  # it may need a moment after its last byte
            number, status = os.waitpid(child, os.WNOHANG)
            if number:
                return status
            time.sleep(0.001)
        os.kill(child, signal.SIGKILL)
        return os.waitpid(child, 0)[1]
    except ChildProcessError:  # this process was started with SIGCHLD ignored, so the system keeps no status
        return 0


def _started(work: Callable[..., str], arguments: tuple[str, ...]) -> tuple[int, bytes]:
    """The same in a new Python, which imports from where this one does and never from the current directory."""
    import subprocess

    code = "import sys; sys.path[:] = sys.argv[1:]; from sotag_edge.trial import main; main()"
    here = ""
    with suppress(OSError):  # the current directory may not exist any more
        here = os.getcwd()  # noqa: PTH109  # a string
    paths = sys.path[1:] if sys.path[:1] == [here] else sys.path
    package = str(Path(__file__).absolute().parent.parent)  # which may have been found in the current directory
    folders = [*(folder for folder in paths if folder), package]
    request = json.dumps([os.getpid(), work.__module__, work.__qualname__, *arguments])
    try:
        child = subprocess.run(
            [sys.executable, "-c", code, *folders],
            input=request.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -signal.SIGKILL, b""
    return child.returncode, child.stdout


def main() -> None:
    """Be the child process of ``_started``."""
    parent, module, name, *arguments = json.load(sys.stdin)
    _be_child(getattr(import_module(module), name), tuple(arguments), os.dup(1), parent)


def _be_child(work: Callable[..., str], arguments: tuple[str, ...], answer: int, parent: int) -> NoReturn:
    """Write the result or the error of a function to a pipe, and end the process."""
    code = 1
    try:
        if sys.platform == "linux":
            _end_with(parent)
        _limit()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        if "faulthandler" in sys.modules:  # it has a copy of stderr
            sys.modules["faulthandler"].disable()
        try:
            content = _DONE + work(*arguments).encode()
        except SotagEdgeError as error:
            content = _ERROR + json.dumps([error.exit_code, str(error)]).encode()
        except MemoryError:
            os._exit(_NO_MEMORY)
        while content:
            content = content[os.write(answer, content) :]
        code = 0
    finally:
        os._exit(code)


def _end_with(parent: int) -> None:
    """End this process when its parent ends, however that happens (Linux)."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:  # it has ended already
        os._exit(1)


def _limit() -> None:
    """Limit the memory and the time of this process; it leaves no core dump."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_CPU: _SECONDS}
    with suppress(OSError):  # on other systems the present size is not known
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limits[resource.RLIMIT_AS] = pages * resource.getpagesize() + _MEMORY
    for kind, limit in limits.items():
        with suppress(OSError, ValueError):  # it is lower already
            resource.setrlimit(kind, (limit, limit))
