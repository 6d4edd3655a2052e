"""Many episodes, in worker processes: what is finished stays, what breaks is repeated, the rest can be resumed.

An episode depends on the run's seed and its number only, never on the worker that plays it or on the episodes before.
So workers take numbers from one queue, a number whose worker or engine died is simply played again, and the data set
has the same content whatever the number of workers.
"""

from __future__ import annotations

import copy
import hashlib
import importlib
import json
import logging
import queue
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bridge.simulators import SimulatorSpec
from foundation.errors import RealityError
from learning.episodes import dataset, policies, record, tables
from learning.episodes.process import WorkerProcess, WorkerStopped
from learning.episodes.record import Outcome
from learning.episodes.statistics import Summary, summarize
from learning.episodes.worker import Job

if TYPE_CHECKING:
    from gymnasium.envs.registration import EnvSpec

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""An episode that fails so often is not unlucky; the run stops and says so."""
EPISODES_FOLDER, VIDEOS_FOLDER, LOGS_FOLDER = ".episodes", "videos", "logs"


@dataclass(frozen=True)
class EpisodesOptions:
    """Everything that decides what is in the data set; stored in ``episodes.json`` and compared on resume.

    Attributes:
        env: a registered id, the name of a catalogue scenario, or an .xosc file.
        policy: see :mod:`learning.episodes.policies`.
        arguments: of the environment, beside the scenario.
    """

    env: str
    policy: str
    episodes: int
    seed: int = 0
    video: bool = False
    simulator: str = "embedded"
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Collected:
    """What a run left behind."""

    dataset_id: str
    folder: Path
    outcomes: tuple[Outcome, ...]
    repeated: tuple[int, ...]

    @property
    def summary(self) -> Summary:
        """The episodes in figures."""
        return summarize(self.outcomes)


def collect(
    options: EpisodesOptions, out: Path, *, workers: int = 1, resume: bool = False, console: Console | None = None
) -> Collected:
    """Play the episodes and write data set, tables and videos below ``out``.

    Args:
        options: what to play.
        out: created; only reused with ``resume``. ``MINARI_DATASETS_PATH`` for who loads the data set.
        workers: processes, each with an environment (and its simulator) of its own.
        resume: keep the episodes that an equal, interrupted run finished.
        console: where progress goes; standard error by default.

    Raises:
        RealityError: an input cannot be used, the policy failed, or an episode failed again and again. Finished
            episodes are kept in ``out`` for ``resume``.
    """
    console = console or Console(stderr=True)
    simulator = SimulatorSpec.parse(options.simulator)
    if simulator.kind == "remote" and workers > 1:
        raise RealityError(f"--workers {workers}: the server {options.simulator} has room for one; use --workers 1")
    if options.episodes < 1:
        raise RealityError(f"--episodes {options.episodes}: at least one")
    policies.check_name(options.policy)
    spec = resolve(options.env, options.arguments, options.simulator)
    name = dataset.dataset_id(spec.id, _short(options.policy))
    _prepare(options, spec, out, resume)
    folder = out / EPISODES_FOLDER
    if (out / name).is_dir():
        return Collected(name, out / name, _outcomes_of(out), ())
    job = Job(
        env_spec=spec.to_json(),
        policy=options.policy,
        seed=options.seed,
        folder=str(folder),
        videos=str(out / VIDEOS_FOLDER) if options.video else None,
    )
    done = record.finished(folder)
    todo = [number for number in range(options.episodes) if number not in set(done)]
    crew = _Crew(job, out / LOGS_FOLDER, todo, console)
    try:
        with _progress(console) as progress:
            crew.play(min(workers, max(1, len(todo))), progress, len(done), options.episodes)
    except BaseException:
        _forget_if_empty(out)
        raise
    spaces = crew.spaces(out / "spaces.json")
    outcomes = tuple(record.load_outcome(folder, number) for number in range(options.episodes))
    tables.write(out, outcomes)
    _write_json(out / "outcomes.json", [asdict(outcome) for outcome in outcomes])
    dataset.write(
        out,
        name,
        folder,
        range(options.episodes),
        spec,
        *spaces,
        algorithm=options.policy,
        description=f"{options.episodes} episodes of {options.policy} in {options.env}, seed {options.seed}",
    )
    shutil.rmtree(folder)
    return Collected(name, out / name, outcomes, tuple(crew.repeated))


def resolve(env: str, arguments: dict[str, Any], simulator: str = "embedded") -> EnvSpec:
    """Return the specification of the environment that ``env`` means, with its arguments.

    Raises:
        RealityError: there is no such environment, scenario or file.
    """
    import gymnasium
    from gymnasium.envs.registration import EnvSpec

    from learning import envs
    from scenarios import catalogue

    envs.register()
    given = dict(arguments) if simulator == "embedded" else {**arguments, "simulator": simulator}
    if env.endswith(".xosc"):
        file = Path(env)
        if not file.is_file():
            raise RealityError(f"{env}: there is no such file")
        kwargs = {"scenario": str(file.resolve()), **given}
        return EnvSpec(id=envs.env_id(_identifier(file.stem)), entry_point=envs.SCENARIO_ENV, kwargs=kwargs)
    name = envs.env_id(env) if env in catalogue.SCENARIOS else env
    module, _, name = name.rpartition(":")
    try:
        if module:
            importlib.import_module(module)
        spec = copy.deepcopy(gymnasium.spec(name))
    except (gymnasium.error.Error, ImportError) as error:
        known = ", ".join(sorted(key for key in gymnasium.registry if key.startswith(f"{envs.NAMESPACE}/")))
        raise RealityError(
            f"{env}: no registered environment, catalogue scenario or .xosc file ({error}); ours are {known}"
        ) from None
    spec.kwargs.update(given)
    return spec


class _Crew:
    """The workers of a run: threads that each watch one process and take episodes from one queue."""

    def __init__(self, job: Job, logs: Path, todo: Sequence[int], console: Console) -> None:
        self._job, self._logs, self._console = job, logs, console
        self._todo: queue.Queue[int] = queue.Queue()
        for number in todo:
            self._todo.put(number)
        self._attempts: dict[int, int] = {}
        self._left = len(todo)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._spaces: dict[str, str] | None = None
        self.repeated: list[int] = []

    def play(self, workers: int, progress: Progress, done: int, total: int) -> None:
        """Play everything that is to do; raise what ended it early."""
        task = progress.add_task("episodes", total=total, completed=done)
        threads = [
            threading.Thread(target=self._work, args=(index, lambda: progress.advance(task)), name=f"worker {index}")
            for index in range(workers if self._left else 0)
        ]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.2)
        finally:  # Ctrl-C as well: nobody is left behind
            self._stop.set()
            for thread in threads:
                thread.join()
        if self._error is not None:
            raise self._error

    def spaces(self, file: Path) -> tuple[Any, Any]:
        """Return (observation space, action space); kept in a file for a run that was interrupted after its end."""
        from minari.serialization import deserialize_space

        if self._spaces is not None:
            _write_json(file, self._spaces)
        stored = json.loads(file.read_text(encoding="utf-8"))
        return deserialize_space(stored["observation_space"]), deserialize_space(stored["action_space"])

    def _work(self, index: int, advance: Callable[[], None]) -> None:
        process: WorkerProcess | None = None
        try:
            while not self._stop.is_set() and self._left > 0:
                try:
                    number = self._todo.get(timeout=0.2)
                except queue.Empty:  # another worker may still have to give one back
                    continue
                try:
                    if process is None:
                        process = WorkerProcess(self._job, self._logs / f"worker-{index}.log", self._stop)
                        self._keep_spaces(process.spaces)
                    process.play(number)
                except WorkerStopped as failure:
                    if process is not None:
                        process.close()
                    process = None
                    self._again(number, failure)
                    continue
                with self._lock:
                    self._left -= 1
                advance()
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits for this one
            with self._lock:
                self._error = self._error or error
            self._stop.set()
        finally:
            if process is not None:
                process.close()

    def _keep_spaces(self, spaces: dict[str, str]) -> None:
        with self._lock:
            self._spaces = spaces
            file = self._logs.parent / "spaces.json"
            if not file.is_file():
                _write_json(file, spaces)

    def _again(self, number: int, failure: WorkerStopped) -> None:
        if self._stop.is_set():
            return
        with self._lock:
            attempts = self._attempts[number] = self._attempts.get(number, 0) + 1
            self.repeated.append(number)
        if attempts >= ATTEMPTS:
            raise RealityError(f"episode {number} failed {attempts} times, the last time because: {failure}")
        self._console.print(
            f"[yellow]episode {number} is repeated with the same seed: {failure}[/yellow]", highlight=False
        )
        self._todo.put(number)


def _prepare(options: EpisodesOptions, spec: EnvSpec, out: Path, resume: bool) -> None:
    wanted: dict[str, Any] = {**asdict(options), "env_spec": json.loads(spec.to_json()), "files": _digests(options)}
    file = out / "episodes.json"
    if file.is_file():
        if not resume:
            raise RealityError(f"{out} already holds episodes; continue them with --resume or choose another --out")
        earlier = json.loads(file.read_text(encoding="utf-8"))
        differs = sorted(key for key in wanted if earlier.get(key) != wanted[key])
        if differs:
            raise RealityError(f"{out} holds other episodes (different: {', '.join(differs)}); choose another --out")
    elif out.exists() and (not out.is_dir() or {path.name for path in out.iterdir()} - {LOGS_FOLDER}):
        raise RealityError(f"{out} exists and holds something else; choose another --out")
    try:
        (out / EPISODES_FOLDER).mkdir(parents=True, exist_ok=True)
        (out / LOGS_FOLDER).mkdir(exist_ok=True)
        if not file.is_file():
            _write_json(file, wanted)
    except OSError as error:
        raise RealityError(f"{out}: cannot create the directory: {error.strerror}") from error


def _forget_if_empty(out: Path) -> None:
    """Leave nothing but the workers' logs of a run that has finished no episode: it may be begun again, corrected."""
    if record.finished(out / EPISODES_FOLDER):
        return
    shutil.rmtree(out / EPISODES_FOLDER, ignore_errors=True)
    shutil.rmtree(out / VIDEOS_FOLDER, ignore_errors=True)
    for name in ("episodes.json", "spaces.json"):
        (out / name).unlink(missing_ok=True)


def _digests(options: EpisodesOptions) -> dict[str, str]:
    """Checksums of the files that a run depends on: another model under the same name is another run."""
    files = [Path(options.env) if options.env.endswith(".xosc") else None, policies.model_file(options.policy)[0]]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file is not None}


def _outcomes_of(out: Path) -> tuple[Outcome, ...]:
    return tuple(Outcome(**entry) for entry in json.loads((out / "outcomes.json").read_text(encoding="utf-8")))


def _short(policy: str) -> str:
    model, sampled = policies.model_file(policy)
    if model is not None:
        return f"{model.stem}-sampled" if sampled else model.stem
    return policy.rpartition(":")[2]


def _identifier(text: str) -> str:
    return "".join(c if c.isalnum() or c in "_-" else "-" for c in text)


def _write_json(path: Path, content: Any) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    partial.replace(path)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, refresh_per_second=4)
