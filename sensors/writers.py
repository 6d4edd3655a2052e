"""A data set on disk: images, points, labels, COCO files and a manifest, described in docs/dataset.md.

    with DatasetWriter(directory, rig) as writer:
        writer.write(frame, labels)
        writer.close({"scenario": "cut-in", "seed": 7})

Everything is written into a hidden folder beside the target and moved into place by ``close``, so the target either
holds a complete data set or does not exist. The same frames give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import shutil
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from foundation.errors import RealityError
from sensors.coco import CocoFile
from sensors.labels import FrameLabels
from sensors.readings import (
    FAR_M,
    CameraReading,
    Frame,
    GnssReading,
    ImuReading,
    LidarReading,
    RadarReading,
)
from sensors.records import frame_record
from sensors.rig import Camera, Rig

FORMAT_VERSION = 1
DEPTH_SCALE = 256
"""Depth images hold round(metres * 256) in 16 bits, KITTI's convention; 0 is "farther than 255.99 m, or nothing"."""
PNG_LEVEL = 3
"""zlib level of all PNG files: fixed, because bytes must repeat; 3 is twice as fast as 6 and 5 % larger."""


class DatasetWriter:
    """Writes one scenario's frames.

    Args:
        directory: where the data set shall stand; must not exist yet, or be empty.
        rig: the rig that was mounted; its mounts become folders.
        depth: "png" for 16-bit images in 1/256 m up to 256 m, "npz" for float32 metres as delivered.

    Raises:
        RealityError: the place cannot be written, or holds something already.
    """

    def __init__(self, directory: str | Path, rig: Rig, depth: Literal["png", "npz"] = "png") -> None:
        self.directory = Path(directory).absolute()
        self._rig, self._depth = rig, depth
        self._scratch = self.directory.with_name(f".{self.directory.name}.partial-{os.getpid()}")
        self._sums: dict[str, str] = {}
        self._records: list[str] = []
        self._coco = {
            camera.name: CocoFile(f"{rig.name}: {camera.name}")
            for camera in rig.cameras
            if {"rgb", "depth", "semantic", "instance"} <= set(camera.outputs)
        }
        self._scalars: dict[str, list[tuple[float, ...]]] = {}
        self._start_s: float | None = None
        self._open = True
        try:
            if self.directory.exists() and (not self.directory.is_dir() or any(self.directory.iterdir())):
                raise RealityError(f"{self.directory} exists already; choose another directory or remove it")
            self.directory.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch.mkdir()
        except OSError as error:
            raise self._failed(error) from None

    # --- life cycle ------------------------------------------------------------------------------------------

    def __enter__(self) -> DatasetWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()

    def abort(self) -> None:
        """Throw away what has been written. Does nothing after :meth:`close`."""
        if self._open:
            self._open = False
            shutil.rmtree(self._scratch, ignore_errors=True)

    def close(self, manifest: Mapping[str, Any] | None = None) -> Path:
        """Write labels, COCO files and the manifest, and move everything into place.

        Args:
            manifest: what else the manifest shall say: scenario, parameters, seed, engine, outcome ... JSON values.

        Returns:
            the data set's directory.

        Raises:
            RealityError: the disk is full or not writable; nothing stays behind then.
        """
        self._must_be_open()
        self._put("labels.jsonl", "".join(self._records).encode())
        for name, rows in sorted(self._scalars.items()):
            self._put(f"{name}.npz", _npz(self._table(name, rows)))
        for name, coco in sorted(self._coco.items()):
            self._put(f"{name}/coco.json", _json(coco.content()))
        content = {
            **(manifest or {}),
            "format": {"name": "digital-reality", "version": FORMAT_VERSION, "documentation": "docs/dataset.md"},
            "frames": len(self._records),
            "rig": self._rig.model_dump(mode="json"),
            "depth": {"encoding": self._depth, "scale": DEPTH_SCALE if self._depth == "png" else None},
            "versions": versions() | dict((manifest or {}).get("versions", {})),
            "sha256": dict(sorted(self._sums.items())),
        }
        self._put("manifest.json", _json(content, indent=1))
        try:
            if self.directory.exists():
                self.directory.rmdir()
            os.replace(self._scratch, self.directory)
        except OSError as error:
            raise self._failed(error) from None
        self._open = False
        return self.directory

    def _must_be_open(self) -> None:
        if not self._open:
            raise RuntimeError("the data set is closed")

    def _failed(self, error: OSError) -> RealityError:
        """Remove what has been written, and say in one line what is wrong."""
        self._open = False
        shutil.rmtree(self._scratch, ignore_errors=True)
        return RealityError(f"the data set cannot be written to {self.directory}: {error.strerror or error}")

    # --- frames ----------------------------------------------------------------------------------------------

    def write(self, frame: Frame, labels: FrameLabels) -> None:
        """Write one frame.

        Raises:
            RealityError: the disk is full or not writable; nothing stays behind then.
        """
        self._must_be_open()
        if labels.frame != frame.frame:
            raise ValueError(f"labels of frame {labels.frame} were given with frame {frame.frame}")
        index = len(self._records)
        if self._start_s is None:
            self._start_s = frame.elapsed_s
        time_s = round(frame.elapsed_s - self._start_s, 6)
        files: dict[str, dict[str, str]] = {}
        for name, reading in sorted(frame.readings.items()):
            if isinstance(reading, CameraReading):
                files[name] = self._camera(name, index, reading, labels)
            elif isinstance(reading, LidarReading):
                files[name] = {"points": self._lidar(name, index, reading, labels)}
            elif isinstance(reading, RadarReading):
                files[name] = {"points": self._radar(name, index, reading)}
            else:
                self._scalars.setdefault(name, []).append((index, time_s, *_values(reading)))
        record = frame_record(index, time_s, frame, labels, files)
        self._records.append(json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False) + "\n")

    def _camera(self, name: str, index: int, reading: CameraReading, labels: FrameLabels) -> dict[str, str]:
        """Write one camera's images and annotations, and return the files by output."""
        files: dict[str, str] = {}

        def image(output: str, pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> None:
            files[output] = self._put(f"{name}/{output}/{index:06d}.png", _png(pixels))

        mount = next(mount for mount in self._rig.sensors if mount.name == name)
        outputs = mount.outputs if isinstance(mount, Camera) else ()
        if reading.rgb is not None:
            image("rgb", reading.rgb)
        if reading.depth_m is not None and self._depth == "png":
            image("depth", depth_png(reading.depth_m))
        elif reading.depth_m is not None:
            files["depth"] = self._put(f"{name}/depth/{index:06d}.npz", _npz({"depth_m": reading.depth_m}))
        if reading.tag is not None and "semantic" in outputs:
            image("semantic", reading.tag)
        seen = labels.cameras.get(name)
        if seen is not None:
            image("instance", seen.tracks)
        if seen is not None and name in self._coco:
            coco = self._coco[name]
            image_id = coco.add_image(files["rgb"], reading.width, reading.height, index)
            category = {label.track_id: int(label.category) for label in labels.objects}
            for view in seen.objects:
                if view.visible_px:
                    extra = {
                        "track_id": view.track_id,
                        "occlusion": round(view.occlusion, 4),
                        "truncation": round(view.truncation, 4),
                    }
                    coco.add_object(image_id, category[view.track_id], seen.tracks == view.track_id, extra)
        return files

    def _lidar(self, name: str, index: int, reading: LidarReading, labels: FrameLabels) -> str:
        own = labels.lidars[name]
        arrays: dict[str, npt.NDArray[Any]] = {
            "points": reading.points,
            "points_per_channel": reading.points_per_channel.astype(np.int32),
            "tag": own.tag,
            "track_id": own.track_id,
        }
        if reading.intensity is not None:
            arrays["intensity"] = reading.intensity
        if reading.cos_incidence is not None:
            arrays["cos_incidence"] = reading.cos_incidence
        return self._put(f"{name}/{index:06d}.npz", _npz(arrays))

    def _radar(self, name: str, index: int, reading: RadarReading) -> str:
        arrays = {
            "velocity_mps": reading.velocity_mps,
            "azimuth_rad": reading.azimuth_rad,
            "altitude_rad": reading.altitude_rad,
            "depth_m": reading.depth_m,
        }
        return self._put(f"{name}/{index:06d}.npz", _npz(arrays))

    def _table(self, name: str, rows: list[tuple[float, ...]]) -> dict[str, npt.NDArray[Any]]:
        """Return an IMU's or a GNSS receiver's readings of the whole scenario as columns."""
        columns = np.array(rows, dtype=np.float64)
        common = {"frame_index": columns[:, 0].astype(np.int64), "time_s": columns[:, 1]}
        if columns.shape[1] == 9:
            return common | {
                "accelerometer_mps2": columns[:, 2:5],
                "gyroscope_radps": columns[:, 5:8],
                "compass_rad": columns[:, 8],
            }
        return common | {"latitude_deg": columns[:, 2], "longitude_deg": columns[:, 3], "altitude_m": columns[:, 4]}

    def _put(self, name: str, data: bytes) -> str:
        """Write one file, remember its checksum, and return its name."""
        path = self._scratch / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)
        except OSError as error:
            raise self._failed(error) from None
        self._sums[name] = hashlib.sha256(data).hexdigest()
        return name


def _values(reading: ImuReading | GnssReading) -> tuple[float, ...]:
    if isinstance(reading, ImuReading):
        return (*reading.accelerometer_mps2, *reading.gyroscope_radps, reading.compass_rad)
    return (reading.latitude_deg, reading.longitude_deg, reading.altitude_m)


def depth_png(depth_m: npt.NDArray[np.floating]) -> npt.NDArray[np.uint16]:
    """Return (H, W) uint16 round(depth * 256); 0 where it does not fit or nothing is there."""
    scaled = np.rint(depth_m.astype(np.float64) * DEPTH_SCALE)
    return np.where((depth_m < FAR_M) & (scaled <= 0xFFFF), scaled, 0).astype(np.uint16)


def versions() -> dict[str, str]:
    """Return the versions that the bytes of a data set depend on."""
    found = {"python": platform.python_version()}
    for name in ("digital-reality", "carla", "numpy", "pillow"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _png(pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, format="PNG", compress_level=PNG_LEVEL)
    return buffer.getvalue()


def _npz(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Return a compressed .npz. numpy dates its members 1980-01-01, so the bytes repeat (a test holds it to that)."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: arrays[name] for name in sorted(arrays)})  # type: ignore[arg-type]
    return buffer.getvalue()


def _json(content: Any, indent: int | None = None) -> bytes:
    return (json.dumps(content, sort_keys=True, indent=indent, allow_nan=False) + "\n").encode()
