"""Kill a run again and again, and show that nothing of it is lost: ``python -m tools.kill_run --out out/kills``.

An undisturbed run is made first. Then the same run is begun in another folder, and its parent, a worker or a server,
drawn by the seed, is killed with SIGKILL at a random moment,
the kills spread over the run by the units that are finished; a killed parent's command is given again. Each kill is
followed by a look at whether finished units were touched or a process was left over; at the end both runs are compared
byte by byte. What was done is kept in ``kills.jsonl``, so that the program itself may be stopped and started again.
"""

from __future__ import annotations

import argparse
import filecmp
import itertools
import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from foundation.seeds import generator

VICTIMS = ("parent", "worker", "server")
GONE_DEADLINE_S = 20.0
STEP_DEADLINE_S = 180.0
POLL_S = 0.02
MENDED_AT_MOST = 5
COMPARED = ("plan.json", "results.csv", "results.parquet", "junit.xml")


class Lost(Exception):
    """The run has lost, doubled, changed or left behind something."""


@dataclass
class Killer:
    """One run that is disturbed.

    Args:
        command: of the run, without ``--out``.
        out: its folder.
        units: of the run.
        workers: of the run.
        seed: of moments and victims.
    """

    command: list[str]
    out: Path
    units: int
    workers: int
    seed: int
    seen: dict[str, int] = field(default_factory=dict)
    log: list[dict[str, object]] = field(default_factory=list)

    def start(self) -> subprocess.Popen[bytes]:
        """Give the command; its words go to a file."""
        with (self.out.parent / f"{self.out.name}.log").open("ab") as file:
            return subprocess.Popen([*self.command, "--out", str(self.out)], stdout=file, stderr=file)

    def finished(self) -> dict[str, int]:
        """Return the units with a verdict and the inodes of their folders, and check that none was touched.

        A unit that was killed more often than it is tried again ends in an error, and the next start runs it again.

        Raises:
            Lost: one has gone, or another one is in its place.
        """
        now = {
            path.name: path.stat().st_ino
            for path in sorted((self.out / "scenarios").glob("*"))
            if (path / "result.json").is_file()
            and json.loads((path / "result.json").read_text(encoding="utf-8"))["verdict"] != "error"
        }
        for name, inode in self.seen.items():
            if now.get(name) != inode:
                raise Lost(f"{name} was finished and is {'another one' if name in now else 'gone'} now")
        self.seen = now
        return now

    def torture(self, kills: int) -> int:
        """Kill until so many kills are in the log, go on until the run has ended, and return its exit status.

        Kill number k of n comes when k/n of the units have a verdict (of those but the last few, so that the run is not
        over before): the kills are spread over the run, however fast the machine is.
        """
        parent, mended = self.start(), 0
        try:
            while len(self.log) < kills:
                due = (self.units - 2 * self.workers) * len(self.log) / kills
                if self._wait_for_units(parent, due):
                    parent = self._kill(parent, self._moment_and_victim(parent, due))
                elif parent.returncode == 1 and mended < MENDED_AT_MOST:
                    # A unit was killed more often than it is tried again: the next start runs it again.
                    parent, mended = self.start(), mended + 1
                else:
                    break
            status = self._wait(parent)
            if status == 1 and len(self.finished()) > 0:
                parent = self.start()
                status = self._wait(parent)
        finally:
            if parent.poll() is None:
                parent.kill()
                parent.wait(GONE_DEADLINE_S)
        self.finished()
        return status

    def _moment_and_victim(self, parent: subprocess.Popen[bytes], due: float) -> str:
        """Let a random time pass, but not more than one unit's, and return who is to be killed.

        A run that is far ahead of its kills is stopped as a whole (its parent is killed), early after its start.
        """
        rng = generator(self.seed, "kill", len(self.log))
        victim = VICTIMS[int(rng.integers(len(VICTIMS)))]
        ahead = len(self.seen) > due + self.workers
        # Short: between units and in the middle of one. Long: at any time, also while engines start.
        longest = 1.0 if ahead else 0.4 if rng.random() < 0.5 else 8.0
        end, before = time.monotonic() + float(rng.uniform(0.0, longest)), len(self.seen)
        while time.monotonic() < end and len(self.finished()) == before and parent.poll() is None:
            time.sleep(POLL_S)
        return "parent" if ahead else victim

    def _wait_for_units(self, parent: subprocess.Popen[bytes], count: float) -> bool:
        """Wait until so many units are finished in all; False when the run has ended.

        Raises:
            Lost: nothing was finished for a long time.
        """
        last, end = len(self.finished()), time.monotonic() + STEP_DEADLINE_S
        while parent.poll() is None:
            now = len(self.finished())
            if now >= count:
                return True
            if now > last:
                last, end = now, time.monotonic() + STEP_DEADLINE_S
            if time.monotonic() > end:
                raise Lost(f"no unit was finished for {STEP_DEADLINE_S:.0f} s")
            time.sleep(POLL_S)
        return False

    def _kill(self, parent: subprocess.Popen[bytes], victim: str) -> subprocess.Popen[bytes]:
        family = _family(parent.pid)
        targets = {
            "parent": [psutil.Process(parent.pid)],
            "worker": [p for p in family if _is(p, "bridge.worker")],
            "server": [p for p in family if _is(p, "engine")],
        }
        if not targets[victim]:
            victim = "parent"
        rng = generator(self.seed, "target", len(self.log))
        target = targets[victim][int(rng.integers(len(targets[victim])))]
        below = _family(target.pid)
        try:
            os.kill(target.pid, signal.SIGKILL)
        except ProcessLookupError:
            return parent
        entry: dict[str, object] = {"victim": victim, "finished": len(self.seen)}
        self.log.append(entry)
        with (self.out.parent / f"{self.out.name}.kills.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        if victim == "parent":
            parent.wait(GONE_DEADLINE_S)
            below = family
        _, alive = psutil.wait_procs(below, timeout=GONE_DEADLINE_S)
        left = [words for p in alive if (words := _told(p))]
        if left:
            raise Lost(f"after the {victim} was killed there is still {'; '.join(left)}")
        self.finished()
        return self.start() if victim == "parent" else parent

    def _wait(self, parent: subprocess.Popen[bytes]) -> int:
        self._wait_for_units(parent, math.inf)
        return int(parent.returncode)


def _family(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _is(process: psutil.Process, module: str) -> bool:
    try:
        words = process.cmdline()
    except psutil.Error:
        return False
    return any(a in ("bridge.lifeline", "--kill") and b == module for a, b in itertools.pairwise(words))


def _told(process: psutil.Process) -> str:
    """Return what a process is; "" when it has gone, or only waits to be forgotten by the system."""
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return ""
        return f"{process.pid} {process.status()} {' '.join(process.cmdline()[1:6])}"
    except psutil.Error:
        return ""


def differences(first: Path, second: Path) -> list[str]:
    """Return the files in which two run directories differ, of those that must not."""
    names = {
        path.relative_to(root).as_posix()
        for root in (first, second)
        for path in [*(root / "scenarios").rglob("*"), *(root / name for name in COMPARED)]
        if not path.is_dir()
    }
    return sorted(
        name
        for name in names
        if not ((first / name).is_file() and (second / name).is_file())
        or not filecmp.cmp(first / name, second / name, shallow=False)
    )


def run_command(units: int, workers: int, max_time_s: float) -> list[str]:
    """Return the command of a run of short scenarios without sensors."""
    words = ["run", "child_runs_out", "--samples", units, "--rig", "none", "--max-time", max_time_s]
    return [sys.executable, "-m", "bridge.cli", *map(str, words), "--workers", str(workers), "--seed", "11"]


def main() -> int:
    """Run the program; exit status 1 when something was lost."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of both runs")
    parser.add_argument("--units", type=int, default=60)
    parser.add_argument("--kills", type=int, default=50, help="in all, those of earlier starts included")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-time", type=float, default=4.0, help="simulated seconds of a scenario")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the run in hand ends with us
    command = run_command(options.units, options.workers, options.max_time)
    options.out.mkdir(parents=True, exist_ok=True)
    calm, disturbed = options.out / "calm", options.out / "disturbed"
    if not (calm / "report.html").is_file():
        subprocess.run([*command, "--out", str(calm)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    earlier = options.out / "disturbed.kills.jsonl"
    log = [json.loads(line) for line in earlier.read_text().splitlines()] if earlier.is_file() else []
    killer = Killer(command, disturbed, options.units, options.workers, options.seed, log=log)
    try:
        status = killer.torture(options.kills)
        units = len(killer.finished())
        if status != 0 or units != options.units:
            raise Lost(f"the run ended with status {status} and {units} of {options.units} units")
        if found := differences(calm, disturbed):
            raise Lost(f"{len(found)} files differ, the first is {found[0]}")
    except Lost as error:
        sys.stdout.write(f"LOST after {len(killer.log)} kills: {error}\n")
        return 1
    counts = {victim: sum(entry["victim"] == victim for entry in killer.log) for victim in VICTIMS}
    sys.stdout.write(
        f"{units} units, {len(killer.log)} kills {counts}: each unit once, all files as in the undisturbed run\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
