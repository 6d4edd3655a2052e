"""The thread that owns the simulator: it starts it, ticks it, and leaves it as it was found.

The window never waits for it: it takes the newest picture, hands wishes over, and sees by the clock when nothing comes.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import carla

from bridge import simulators
from bridge.drive.keys import Action
from bridge.drive.pedals import Inputs
from bridge.drive.session import Plan, Session
from bridge.drive.state import Notice, Picture
from foundation.errors import DeadlineError, RealityError
from scenarios import opendrive

log = logging.getLogger(__name__)

CLIENT_DEADLINE_S = 60.0
WATCH_PERIOD_S = 0.1
LOST_WAKE_UP_S = 1.0
"""A tick whose snapshot has come, and that has not returned after this, waits for the traffic manager."""
SILENCE_S = 30.0
"""No frame for so long: the drive is over."""
SLOWEST = 8
SCALES = (1.0, 0.8, 0.65, 0.5, 0.4)
"""Sizes of the camera's picture, of the window's, among which ``--quality auto`` chooses."""
LATE_FRAMES, EARLY_FRAMES = 12, 60


@dataclass(frozen=True)
class Where:
    """Which simulator, and which map.

    Attributes:
        simulator: as for ``--simulator``.
        map_name: to be loaded; None keeps what is there.
        network: an OpenDRIVE network to be loaded instead.
        network_file: its file.
    """

    simulator: simulators.SimulatorSpec
    map_name: str | None = None
    network: opendrive.RoadNetwork | None = None
    network_file: str | None = None


@dataclass
class Quality:
    """The size of the camera's picture, of the window's; ``fixed`` None adapts it to what the machine can do."""

    fixed: float | None = None
    _notch: int = 0
    _late: int = 0
    _early: int = 0

    @property
    def scale(self) -> float:
        """Share of the window's width and height."""
        return SCALES[self._notch] if self.fixed is None else self.fixed

    def saw(self, work_s: float, interval_s: float) -> bool:
        """Take the time that a frame took, of the time there is; returns whether the scale has changed."""
        if self.fixed is not None:
            return False
        self._late = self._late + 1 if work_s > interval_s else max(0, self._late - 1)
        self._early = self._early + 1 if work_s < 0.5 * interval_s else 0
        before = self._notch
        if self._late >= LATE_FRAMES:
            self._notch = min(self._notch + 1, len(SCALES) - 1)
        elif self._early >= EARLY_FRAMES:
            self._notch = max(self._notch - 1, 0)
        else:
            return False
        self._late = self._early = 0
        return self._notch != before


class Worker:
    """Runs a session on a thread of its own.

    Args:
        where, plan: what to run.
        quality: of the camera's picture.
        scripted: frames are made one by one, when :meth:`advance` asks for them, instead of by the clock.

    Attributes:
        inputs: the person's hands, set by the window.
        progress: what goes on before the first picture.
        error: why it ended, None for in order.
    """

    def __init__(self, where: Where, plan: Plan, quality: Quality, *, scripted: bool = False) -> None:
        self.where, self.plan, self.quality = where, plan, quality
        self.inputs = Inputs()
        self.progress = "starting the simulator"
        self.error: RealityError | None = None
        self.notices: queue.SimpleQueue[Notice] = queue.SimpleQueue()
        self.window = plan.size
        self._scripted = scripted
        self._wishes: queue.SimpleQueue[Action] = queue.SimpleQueue()
        self._asked = threading.Semaphore(0)
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._new = threading.Condition()
        self._latest: Picture | None = None
        self._rate_hz, self._frame_at = 0.0, 0.0
        self._driven_s, self._driven_frames, self._server_ms = 0.0, 0, 0.0
        self._paused, self._slow, self._single = False, 1, False
        self._session: Session | None = None
        self._world: carla.World | None = None
        self._simulator: simulators.Simulator | None = None
        self._ticking: tuple[float, int] | None = None
        self._alive_at = time.monotonic()
        self._idle = False
        self._gone = False
        self._thread = threading.Thread(target=self._run, name="drive", daemon=True)

    # --- for the window --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def do(self, action: Action) -> None:
        """Hand a wish over; it is done before the next frame."""
        self._wishes.put(action)

    def stop(self) -> None:
        """Ask for the end; :meth:`join` waits for it."""
        self._stop.set()
        self._asked.release()

    def join(self, deadline_s: float) -> bool:
        """Wait for the end; returns whether it has come."""
        return self._ended.wait(deadline_s)

    @property
    def ended(self) -> bool:
        """Whether everything has been taken down."""
        return self._ended.is_set()

    def advance(self) -> None:
        """Ask for one frame of a scripted session."""
        self._asked.release()

    def picture(self, after: int, timeout_s: float) -> Picture | None:
        """Return the newest picture, if its number is larger than ``after``; wait a little for it."""
        with self._new:
            self._new.wait_for(lambda: self._number > after or self.ended or self.error is not None, timeout_s)
            return self._latest if self._number > after else None

    @property
    def _number(self) -> int:
        return self._latest.number if self._latest is not None else 0

    @property
    def silent_s(self) -> float:
        """How long nothing has come of the simulator, although something should have."""
        # Starting and loading have deadlines of their own.
        quiet = self._idle or self.ended or self._latest is None
        return 0.0 if quiet else time.monotonic() - self._alive_at

    def fail(self, error: RealityError) -> None:
        """Give the session up: the server is gone, or says nothing any more. Finishes the recording."""
        if self.error is None:
            self.error = error
        self.stop()
        if not self.join(2.0) and self._session is not None:
            try:
                self._session.abandon()
            except RealityError as lost:
                self.notices.put(Notice(str(lost), "alarm"))

    @property
    def summary(self) -> str:
        """How fluent the drive was, pauses apart; empty when there was none."""
        if not self._driven_frames:
            return ""
        rate, frames = self._driven_frames / self._driven_s, self._driven_frames
        return (
            f"{frames} frames in {self._driven_s:.1f} s: {rate:.1f} frames/s, "
            f"{rate * self.plan.step_s:.2f} of real time, server {self._server_ms / frames:.0f} ms a frame"
        )

    # --- the thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            with simulators.start(self.where.simulator, seed=self.plan.seed % 2**31, arguments=self._arguments()) as s:
                self._simulator = s
                threading.Thread(target=self._watch, args=(s,), name="drive watch", daemon=True).start()
                self._drive(s)
        except RealityError as error:
            self.error = self.error or error
        except RuntimeError as error:
            # The genuine client reports everything that goes wrong on the wire as RuntimeError.
            log.debug("the client failed", exc_info=True)
            self.error = self.error or self._explain(error)
        except Exception as error:
            log.exception("the drive failed")
            self.error = self.error or RealityError(f"the drive failed: {type(error).__name__}: {error}")
        finally:
            self._ended.set()
            with self._new:
                self._new.notify_all()

    def _explain(self, error: RuntimeError) -> RealityError:
        """Say what is behind an error of the client: often a server that has ended."""
        if self._simulator is not None:
            try:
                self._simulator.check(simulators.CRASH_GRACE_S)
            except RealityError as gone:
                return gone
        return RealityError(f"the simulator failed: {error}")

    def _arguments(self) -> tuple[str, ...]:
        if self.where.simulator.kind != "embedded":
            return ()
        first = self.where.network_file or self.where.map_name
        return ("--map", first) if first else ()

    def _drive(self, simulator: simulators.Simulator) -> None:
        self.progress = "waiting for the simulator"
        client = simulator.connect(timeout_s=CLIENT_DEADLINE_S)
        self.progress = "loading the map"
        with synchronous(client, self.plan.step_s, lambda: self._gone):
            self._load(client, simulator.name)
            self._world = client.get_world()
            self.progress = "putting everybody in place"
            session = self._session = Session(client, simulator.name, self._sized(), self.notices.put)
            try:
                session.start()
                self._loop(session)
            except RuntimeError as error:
                self.error = self.error or self._explain(error)
            finally:
                if self.error is None or self._answers(client, simulator):
                    self._idle = True
                    session.close()
                else:
                    self._gone = True
                    session.abandon()

    def _answers(self, client: carla.Client, simulator: simulators.Simulator) -> bool:
        """Return whether the server is still there to be tidied up."""
        try:
            simulator.check()
            client.set_timeout(2.0)
            client.get_server_version()
            client.set_timeout(CLIENT_DEADLINE_S)
        except (RealityError, RuntimeError):
            return False
        return True

    def _sized(self) -> Plan:
        return replace(self.plan, size=self._size())

    def _size(self) -> tuple[int, int]:
        scale = self.quality.scale
        return max(64, round(self.window[0] * scale)), max(48, round(self.window[1] * scale))

    def _load(self, client: carla.Client, name: str) -> None:
        """Load the map, unless the server has it already."""
        where = self.where
        if where.simulator.kind == "embedded" and self._arguments():
            return  # it was started with it
        try:
            if where.network is not None:
                parameters = carla.OpendriveGenerationParameters(
                    vertex_distance=2.0, max_road_length=500.0, wall_height=0.0, additional_width=0.6,
                    smooth_junctions=True,
                )  # fmt: skip
                client.generate_opendrive_world(
                    opendrive.client_text(where.network.text), parameters, reset_settings=False
                )
            elif where.map_name is not None:
                loaded = client.get_world().get_map().name.rsplit("/", maxsplit=1)[-1]
                if loaded != where.map_name:
                    client.load_world(where.map_name, reset_settings=False)
        except RuntimeError as error:
            raise RealityError(f"{name} could not load {where.map_name or where.network_file}: {error}") from error

    def _loop(self, session: Session) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            if self._scripted:
                self._idle = True
                self._asked.acquire()
                self._alive_at, self._idle = time.monotonic(), False
            changed = self._do_wishes(session)
            if self._stop.is_set():
                break
            resting = (self._paused or session.over) and not self._single and not changed
            if resting:
                self._idle = True
                self._show_resting()
                if not self._scripted:
                    time.sleep(0.02)
                continue
            self._alive_at, self._idle, self._single = time.monotonic(), False, False
            if not self._scripted:
                due = self._wait(due)
            self._step(session)

    def _wait(self, due: float) -> float:
        """Sleep until the next frame is due, and return when the one after is."""
        now = time.monotonic()
        if due > now:
            time.sleep(due - now)
        return max(due, now - 0.5 * self.plan.step_s) + self.plan.step_s * self._slow

    def _step(self, session: Session) -> None:
        size = self._size()
        if session.shown.size != size:
            session.resize(size)
        begun = time.monotonic()
        snapshot = self._world.get_snapshot() if self._world is not None else None
        self._ticking = (begun, 0 if snapshot is None else snapshot.frame)
        picture = session.frame(self.inputs)
        self._ticking = None
        now = time.monotonic()
        if self._frame_at:
            self._driven_s += now - self._frame_at
            self._driven_frames += 1
            self._server_ms += picture.instruments.server_ms
            rate = 1.0 / max(now - self._frame_at, 1e-3)
            self._rate_hz += (0.1 if self._rate_hz else 1.0) * (rate - self._rate_hz)
        self._frame_at = self._alive_at = now
        if not self._scripted:
            self.quality.saw(now - begun, self.plan.step_s)
        self._publish(picture)

    def _publish(self, picture: Picture) -> None:
        instruments = replace(
            picture.instruments,
            rate_hz=self._rate_hz,
            real_time=self._rate_hz * self.plan.step_s,
            speed_factor=1.0 / self._slow,
            paused=self._paused,
        )
        with self._new:
            self._latest = replace(picture, instruments=instruments, number=self._number + 1)
            self._new.notify_all()

    def _show_resting(self) -> None:
        """Show the last picture again, when pause or speed have changed since."""
        picture, self._frame_at = self._latest, 0.0
        if picture is None:
            return
        now = picture.instruments
        if self._scripted or (now.paused, now.speed_factor) != (self._paused, 1.0 / self._slow):
            self._publish(picture)

    def _do_wishes(self, session: Session) -> bool:
        """Do what the person asked for; returns whether that needs a frame to be seen."""
        changed = False
        while True:
            try:
                action = self._wishes.get_nowait()
            except queue.Empty:
                return changed
            if self._time_key(action):
                continue
            try:
                session.act(action)
            except RealityError as error:
                self.notices.put(Notice(str(error), "warning"))
            changed = True

    def _time_key(self, action: Action) -> bool:
        if action is Action.PAUSE:
            self._paused = not self._paused
        elif action is Action.STEP:
            self._paused = self._single = True
        elif action is Action.SLOWER:
            self._slow = min(self._slow * 2, SLOWEST)
        elif action is Action.FASTER:
            self._slow = max(self._slow // 2, 1)
        else:
            return False
        return True

    # --- watching --------------------------------------------------------------------------------------------

    def _watch(self, simulator: simulators.Simulator) -> None:
        """Notice a server that has ended, and a traffic manager that has fallen asleep."""
        while not self.ended and not simulator.closed:
            try:
                simulator.check()
            except RealityError as error:
                if not simulator.closed and not self._stop.is_set():
                    self.error = self.error or error
                    with self._new:
                        self._new.notify_all()
                return
            self._wake_manager()
            time.sleep(WATCH_PERIOD_S)

    def _wake_manager(self) -> None:
        ticking, session = self._ticking, self._session
        if ticking is None or session is None or not session.manager.running or self._world is None:
            return
        begun, frame = ticking
        if time.monotonic() - begun > LOST_WAKE_UP_S and self._world.get_snapshot().frame > frame:
            log.info("the traffic manager has lost a wake-up; waking it")
            self._ticking = (time.monotonic(), frame)
            session.manager.wake()

    def silence(self) -> DeadlineError:
        """Return the error that says who has not come."""
        who = self._simulator.name if self._simulator is not None else "the simulator"
        return DeadlineError(f"{who} has sent no frame for {SILENCE_S:.0f} s; is it still running?")


@contextlib.contextmanager
def synchronous(client: carla.Client, step_s: float, gone: Callable[[], bool]) -> Iterator[None]:
    """Hold a server in synchronous mode, and give it back with the settings it had, unless it is ``gone``."""
    world = client.get_world()
    before = world.get_settings()
    if before.synchronous_mode:
        log.warning("the server is in synchronous mode already: if another program ticks it, time runs twice as fast")
    settings = world.get_settings()
    settings.synchronous_mode, settings.fixed_delta_seconds = True, step_s
    settings.substepping, settings.max_substep_delta_time, settings.max_substeps = True, 0.01, 10
    settings.no_rendering_mode = False
    world.apply_settings(settings)
    try:
        yield
    finally:
        if not gone():
            try:
                client.get_world().apply_settings(before)
            except RuntimeError as error:
                log.warning("the simulator's settings could not be restored: %s", error)
