"""The window: reads keys, draws what has come, and never waits for the simulator."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pygame

from bridge.drive import hud, panels, scene, script, ui
from bridge.drive.gamepad import Gamepads, Mapping
from bridge.drive.keys import Action, Hold, Keymap
from bridge.drive.layout import Layout, layout
from bridge.drive.pedals import Inputs
from bridge.drive.recorder import Film, free_name
from bridge.drive.state import Notice, Picture
from bridge.drive.worker import SILENCE_S, Worker
from bridge.simulators import SimulatorError
from foundation.errors import RealityError

log = logging.getLogger(__name__)

WAIT_S = 1.0 / 60.0
WORRY_S = 3.0
"""Without a frame for so long, the person is told who is waited for."""
RESIZE_REST_S = 0.3
LEAVE_DEADLINE_S = 30.0
GONE_DEADLINE_S = 1.0
"""With a server that has ended there is nothing to tidy up."""
MOST_TOASTS = 4
SCRIPT_PAD = 9999
"""Instance number of the gamepad that a script plugs in."""


@dataclass(frozen=True)
class Look:
    """How the window begins.

    Attributes:
        size: pixels.
        script: events of a scripted session; None for a person.
        headless: draw without a display.
        mapping: of gamepads; None chooses by name.
    """

    size: tuple[int, int]
    out: Path
    script: list[script.Event] | None = None
    headless: bool = False
    mapping: Mapping | None = None


def open_screen(look: Look) -> pygame.Surface:
    """Open the window.

    Raises:
        RealityError: there is no display.
    """
    if look.headless:
        os.environ["SDL_VIDEODRIVER"] = "dummy"
    wanted = os.environ.get("SDL_VIDEODRIVER", "")
    remedy = "start it in a desktop session, or give --script FILE --headless"
    if sys.platform == "linux" and not (wanted or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise RealityError(f"no window can be opened: there is no display; {remedy}")
    try:
        pygame.display.init()
        pygame.font.init()
        screen = pygame.display.set_mode(look.size, pygame.RESIZABLE)
    except pygame.error as error:
        raise RealityError(f"no window can be opened: {error}; {remedy}") from None
    # SDL quietly falls back to drivers that show nothing.
    if pygame.display.get_driver() in ("offscreen", "dummy") and not wanted:
        pygame.display.quit()
        raise RealityError(f"no window can be opened: there is no display; {remedy}")
    pygame.display.set_caption("Digital Reality")
    pygame.key.set_repeat()
    try:
        pygame.joystick.init()
    except pygame.error as error:
        log.warning("gamepads cannot be used: %s", error)
    return screen


class Window:
    """The window's loop.

    Args:
        look: how it begins.
        worker: makes the pictures.
        step_s: of the simulation; a frame of a script's clock.

    Attributes:
        saved: what was recorded, for the person to read after the end.
    """

    def __init__(self, look: Look, worker: Worker, step_s: float) -> None:
        self._look, self._worker, self._step_s = look, worker, step_s
        self._screen = open_screen(look)
        self._place = layout(*self._screen.get_size())
        self._keymap = Keymap()
        self.saved: list[str] = []
        self._pads = Gamepads(look.mapping)
        self._held: set[Hold] = set()
        self._player = script.Player(look.script) if look.script is not None else None
        self._picture: Picture | None = None
        self._toasts: list[hud.Toast] = []
        self._level = 0
        self._help = False
        self._verdict_hidden = False
        self._film: Film | None = None
        self._filmed = -1
        self._film_rate = 1.0 / step_s
        self._shots: list[Path] = []
        self._client_ms = 0.0
        self._resized_at: float | None = None
        self._running = True
        self._time_s = 0.0
        self._started = time.monotonic()
        self._asked = False

    # --- the loop --------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Drive until the person ends it.

        Raises:
            RealityError: the simulator failed; recordings are finished.
        """
        self._worker.start()
        try:
            while self._running:
                self._turn()
        finally:
            self._leave()
        if self._worker.error is not None:
            raise self._worker.error

    def _turn(self) -> None:
        """One round: events, a picture, drawing. The next picture is made while this one is drawn."""
        self._take_events()
        self._settle_size()
        if self._player is None:
            self._time_s = time.monotonic() - self._started
        elif not self._asked:
            self._ask(self._player)
        before = self._picture
        wait_s = WAIT_S if self._player is None else 0.2
        new = self._worker.picture(0 if before is None else before.number, wait_s)
        if self._worker.error is not None or (self._worker.ended and self._running):
            self._fail()
            return
        if self._worker.silent_s > SILENCE_S:
            self._worker.fail(self._worker.silence())
            return
        shots: list[Path] = []
        if new is not None or self._player is None:
            shots, self._shots = self._shots, []
        if new is not None:
            self._picture, self._asked = new, False
            if self._player is not None:
                self._time_s += self._step_s if before is not None else 0.0
                if not shots:  # a picture to be kept must not show what a later key does
                    self._ask(self._player)
        self._take_notices()
        self._draw(new is not None)
        for path in shots:
            self._save(path)

    def _take_events(self) -> None:
        for event in pygame.event.get():
            self._event(event)
        self._worker.inputs = Inputs(frozenset(self._held), self._pads.pad)

    def _ask(self, player: script.Player) -> None:
        """Do what the script does now, and ask for the picture after it."""
        if self._picture is not None:
            self._play(player)
            self._take_events()
            self._settle_size()
        self._asked = True
        self._worker.advance()

    def _draw(self, new: bool) -> None:
        begun = time.perf_counter()
        self.paint(self._screen)
        pygame.display.flip()
        if new:
            self._client_ms += 0.2 * (1000.0 * (time.perf_counter() - begun) - self._client_ms)
            self._feed_film()

    def paint(self, screen: pygame.Surface) -> None:
        """Draw everything onto a surface."""
        place, picture = self._place, self._picture
        if picture is None:
            screen.fill(scene.BACKGROUND)
            waited = time.monotonic() - self._started if self._player is None else 0.0
            dots = "." * (1 + int(2.0 * waited) % 3)
            panels.draw_message(screen, place, "Digital Reality", f"{self._worker.progress} {dots}", ui.ACCENT)
            return
        now = picture.instruments
        scene.draw_shot(screen, picture.main, screen.get_rect(), place.letter)
        if self._help:
            panels.draw_help(screen, place)
            return
        level = hud.LEVELS[self._level]
        if picture.inset is not None:
            self._draw_inset(screen, place, picture)
        film_s = None if self._film is None else self._film.frames * self._step_s
        hud.draw(
            screen, place, now, self._toasts, level=level, client_ms=self._client_ms, filming_s=film_s,
            time_s=self._time_s,
        )  # fmt: skip
        if now.waiting:
            panels.draw_start(screen, place, now)
        if picture.verdict is not None and not self._verdict_hidden:
            panels.draw_verdict(screen, place, picture.verdict)
        if self._worker.silent_s > WORRY_S:
            words = f"no frame for {self._worker.silent_s:.0f} s; the drive ends after {SILENCE_S:.0f} s"
            panels.draw_message(screen, place, "Waiting for the simulator", words, ui.WARN)

    def _draw_inset(self, screen: pygame.Surface, place: Layout, picture: Picture) -> None:
        assert picture.inset is not None
        scene.draw_shot(screen, picture.inset, place.inset, place.letter)
        pygame.draw.rect(screen, ui.FAINT, place.inset, width=1)
        words = picture.inset.title
        label = ui.text(words, max(11, place.letter - 2), ui.TEXT, True)
        chip = label.get_rect().inflate(10, 4)
        chip.topleft = place.inset.topleft
        ui.draw_panel(screen, chip, ui.DARK, 0)
        screen.blit(label, label.get_rect(center=chip.center))

    # --- events ----------------------------------------------------------------------------------------------

    def _event(self, event: pygame.event.Event) -> None:
        if event.type == pygame.QUIT:
            self._running = False
        elif event.type == pygame.KEYDOWN:
            held = self._keymap.hold(event.key)
            if held is not None:
                self._held.add(held)
            action = self._keymap.action(event.key, event.mod)
            if action is not None:
                self._act(action)
        elif event.type == pygame.KEYUP:
            held = self._keymap.hold(event.key)
            if held is not None:
                self._held.discard(held)
        elif event.type == pygame.WINDOWFOCUSLOST:
            self._held.clear()  # the keys' release goes to another window
        elif event.type == pygame.VIDEORESIZE:
            self._place = layout(event.w, event.h)
            self._resized_at = time.monotonic()
        elif pygame.JOYAXISMOTION <= event.type <= pygame.JOYBUTTONUP or event.type in (
            pygame.JOYDEVICEADDED,
            pygame.JOYDEVICEREMOVED,
        ):
            action, message = self._pads.event(event)
            if message:
                self._worker.notices.put(Notice(message))
            if action is not None:
                self._act(action)

    def _act(self, action: Action) -> None:
        """Do what concerns the window; everything else is the worker's."""
        own: dict[Action, Callable[[], None]] = {
            Action.QUIT: self._escape,
            Action.HELP: self._toggle_help,
            Action.HUD: self._turn_level,
            Action.FULLSCREEN: self._toggle_fullscreen,
            Action.SCREENSHOT: lambda: self._shots.append(free_name(self._look.out, "screenshot", ".png")),
            Action.VIDEO: self._toggle_film,
        }
        if action in own:
            own[action]()
            return
        if action in (Action.RESTART, Action.NEXT_SAMPLE):
            self._verdict_hidden = False
        self._worker.do(action)

    def _escape(self) -> None:
        if self._help:
            self._help = False
        else:
            self._running = False

    def _toggle_help(self) -> None:
        self._help = not self._help

    def _turn_level(self) -> None:
        if self._picture is not None and self._picture.verdict is not None:
            self._verdict_hidden = not self._verdict_hidden
        else:
            self._level = (self._level + 1) % len(hud.LEVELS)

    def _toggle_fullscreen(self) -> None:
        pygame.display.toggle_fullscreen()
        self._place = layout(*self._screen.get_size())
        self._resized_at = time.monotonic()

    def _settle_size(self) -> None:
        """Ask for pictures of the window's new size once it has come to rest."""
        if self._resized_at is None:
            return
        if self._player is None and time.monotonic() - self._resized_at < RESIZE_REST_S:
            return
        self._resized_at = None
        self._screen = pygame.display.get_surface() or self._screen
        self._place = layout(*self._screen.get_size())
        self._worker.window = self._screen.get_size()

    def _take_notices(self) -> None:
        while not self._worker.notices.empty():
            notice = self._worker.notices.get()
            if notice.level == "saved":
                self.saved.append(notice.text)
            elif notice.level == "alarm":
                log.warning("%s", notice.text)
            self._toasts = [toast for toast in self._toasts if toast.notice.text != notice.text]
            self._toasts.append(hud.Toast(notice, self._time_s + hud.NOTICE_S))
        self._toasts = [toast for toast in self._toasts if toast.until_s > self._time_s][-MOST_TOASTS:]

    # --- scripts ---------------------------------------------------------------------------------------------

    def _play(self, player: script.Player) -> None:
        for event in player.due(self._time_s):
            if event.kind in ("down", "up"):
                pygame.event.post(script.key_event(event))
            elif event.kind == "screenshot":
                self._shots.append(self._look.out / event.text)
            elif event.kind == "resize":
                size = int(event.numbers[0]), int(event.numbers[1])
                self._screen = pygame.display.set_mode(size, pygame.RESIZABLE)
                self._place = layout(*size)
                self._resized_at = time.monotonic()
            elif event.kind in ("axis", "button"):
                self._script_pad(event)
            else:
                self._running = False

    def _script_pad(self, event: script.Event) -> None:
        if not self._pads.knows(SCRIPT_PAD):
            self._worker.notices.put(Notice(self._pads.add(SCRIPT_PAD, "scripted pad")))
        if event.kind == "axis":
            number, value = event.numbers
            pygame.event.post(
                pygame.event.Event(pygame.JOYAXISMOTION, instance_id=SCRIPT_PAD, axis=int(number), value=value)
            )
        else:
            for kind in (pygame.JOYBUTTONDOWN, pygame.JOYBUTTONUP):
                pygame.event.post(pygame.event.Event(kind, instance_id=SCRIPT_PAD, button=int(event.numbers[0])))

    # --- pictures and films ----------------------------------------------------------------------------------

    def _save(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            pygame.image.save(self._screen, str(path))
        except (OSError, pygame.error) as error:
            self._worker.notices.put(Notice(f"{path} cannot be written: {error}", "alarm"))
            return
        if self._player is None:  # a script's pictures shall show the drive, not one another
            self._worker.notices.put(Notice(f"screenshot {path.name}"))

    def _toggle_film(self) -> None:
        if self._film is not None:
            self._end_film()
            return
        try:
            path = free_name(self._look.out, "drive", ".mp4")
            self._film = Film(path, self._screen.get_size(), self._film_rate)
            self._worker.notices.put(Notice("filming the window"))
        except RealityError as error:
            self._worker.notices.put(Notice(str(error), "alarm"))

    def _feed_film(self) -> None:
        """Film each simulated frame once: a film is in simulated time, and a pause is not in it."""
        film, picture = self._film, self._picture
        if film is None or picture is None or picture.instruments.frame == self._filmed:
            return
        self._filmed = picture.instruments.frame
        pixels = pygame.surfarray.array3d(self._screen).swapaxes(0, 1)
        film.put(pixels)
        if film.failed is not None:
            self._end_film()

    def _end_film(self) -> None:
        film, self._film = self._film, None
        if film is None:
            return
        try:
            self._worker.notices.put(Notice(film.close(), "saved"))
        except RealityError as error:
            self._worker.notices.put(Notice(str(error), "alarm"))

    # --- the end ---------------------------------------------------------------------------------------------

    def _fail(self) -> None:
        """The simulator is gone: finish what is being recorded, and say so until the person has seen it."""
        self._running = False
        self._end_film()
        error = self._worker.error
        if error is None:
            return
        self._worker.fail(error)
        self._take_notices()
        if self._player is not None:
            return
        words = "; ".join([str(error), *(toast.notice.text for toast in self._toasts)])
        self._screen.fill(scene.BACKGROUND)
        panels.draw_message(self._screen, self._place, "The drive has ended", words, ui.ALARM, "press a key")
        pygame.display.flip()
        while pygame.event.wait(1000).type not in (pygame.KEYDOWN, pygame.QUIT):
            pass

    def _leave(self) -> None:
        """Finish recordings, leave the simulator as it was, and close the window. Runs on every path out."""
        self._running = False
        self._end_film()
        self._worker.stop()
        if not self._worker.ended:
            panels.draw_message(self._screen, self._place, "Digital Reality", "tidying up ...", ui.ACCENT)
            pygame.display.flip()
        gone = isinstance(self._worker.error, SimulatorError)
        if not self._worker.join(GONE_DEADLINE_S if gone else LEAVE_DEADLINE_S):
            self._worker.fail(self._worker.error or self._worker.silence())
        self._take_notices()
        pygame.quit()
