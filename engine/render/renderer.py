"""Pictures of the world: colours, depth and labels of one view in one pass."""

from __future__ import annotations

import importlib
import logging
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from panda3d import core

from engine.geometry import Model, StaticWorld
from engine.render import shaders
from engine.render.actors import Actors, JointMatrices
from engine.render.context import Context, shared_context
from engine.render.geometry import SWITCHES
from engine.render.lamps import choose
from engine.render.pictures import Picture
from engine.render.shadows import SMALL_FOCAL_PX, Shadows
from engine.render.shapes import ShapeScene, segments
from engine.render.static_scene import StaticScene
from engine.render.street_lamps import Lamps
from engine.render.targets import Defines, Targets, screen_triangle
from engine.render.textures import make_texture
from engine.render.view import WANTS, View
from engine.render.weather import DEFAULT_EV100, ClearNoon, Light, WeatherParameters, light_of, white_balance
from engine.state import ActorTable
from foundation.frames import invert

_log = logging.getLogger(__name__)

NEAR_M = 0.2
"""Nothing nearer is drawn. Depth resolution at distance d is d^2 / (NEAR_M * 2^24)."""
DRAW_FAR_M = 4000.0
KEEP_PX = 6_300_000
"""Buffers are kept for views of this many pixels together; the longest unused ones go first."""

Pixels = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

# What each picture is read from, and what the surface pass must draw for that.
_READ = {
    "rgb": ("rgb",),
    "depth": ("depth",),
    "semantic": ("label",),
    "instance": ("label",),
    "normals": ("normal",),
    "albedo": ("albedo",),
    "flow": ("flow_x", "flow_y"),
}
_LIT = ("albedo", "depth", "label")
_ORDER = ("albedo", "depth", "label", "normal", "flow_x", "flow_y")


def _default_joint_matrices() -> JointMatrices:
    function: JointMatrices = importlib.import_module("engine.scene").joint_matrices
    return function


class Renderer:
    """Draws one static world and the actors in it.

    Nothing of OpenGL is touched before the first :meth:`render`. Use from one thread.

    Args:
        static: what does not move.
        joint_matrices: ``(model, row) -> (J, 4, 4)`` actor-from-joint; by default ``engine.scene``'s.
    """

    def __init__(self, static: StaticWorld, joint_matrices: JointMatrices | None = None) -> None:
        self._static = static
        self._actors = Actors(joint_matrices or (lambda model, row: _default_joint_matrices()(model, row)))
        self._light = light_of(ClearNoon())
        self._elapsed_s = 0.0
        self._hidden: frozenset[int] = frozenset()
        self._lamps: Lamps = None
        self._pictures: Mapping[int, Picture] = {}
        self._stale = False
        self._shapes = segments(0)
        self._stage: _Stage | None = None

    def add_actor(self, actor_id: int, model: Model, instance_id: int) -> None:
        """Draw an actor from now on, wherever its row of the table says; ValueError if it is there already."""
        self._actors.add(actor_id, model, instance_id)

    def remove_actor(self, actor_id: int) -> None:
        """Draw an actor no more; KeyError if it is not there."""
        self._actors.remove(actor_id)

    def update(self, table: ActorTable, elapsed_s: float) -> None:
        """Take the poses and lights of all actors from the table. Cheap: work is done when a picture is made."""
        self._actors.update(table)
        self._elapsed_s = elapsed_s

    def set_weather(self, weather: WeatherParameters) -> None:
        """Change sun, sky, fog, rain and wetness."""
        self._light = light_of(weather)

    def set_street_lamps(self, lamps: Lamps) -> None:
        """Say how street lamps shine, by object id: colour (sRGB, 0..1) and brightness; None: as built, at night."""
        self._lamps = lamps
        if self._stage is not None:
            self._stage.set_lamps(lamps)

    def set_shapes(self, shapes: npt.NDArray[np.void]) -> None:
        """Draw debug shapes into the colour pictures: (N,) of :data:`~engine.render.shapes.SEGMENT_DTYPE`."""
        self._shapes = shapes

    def set_hidden(self, object_ids: frozenset[int]) -> None:
        """Leave out these static objects (``enable_environment_objects``); the scene is rebuilt when it changes."""
        if object_ids != self._hidden:
            self._hidden, self._stale = object_ids, True

    def set_pictures(self, pictures: Mapping[int, Picture]) -> None:
        """Show pictures on static objects, by their ids; the scene is rebuilt when that changes."""
        if dict(pictures) != dict(self._pictures):
            self._pictures, self._stale = pictures, True

    def _static_scene(self) -> StaticScene:
        self._stale = False
        return StaticScene(self._static, self._hidden, self._lamps, self._pictures)

    def render(self, view: View, wants: frozenset[str]) -> dict[str, Pixels]:
        """Return the wanted pictures, pixel by pixel of the same rasterization.

        Args:
            view: the camera.
            wants: any of :data:`~engine.render.view.WANTS`.

        Returns:
            (H, W, 4) uint8 BGRA, top row first, alpha 255, in CARLA's encodings. rgb: sRGB. depth: planar
            distance, (R + 256 G + 65536 B) / (2^24 - 1) * 1000 m, the sky white. semantic: tag in R.
            instance: tag in R, id's low byte in G, high byte in B. normals: world axes (CARLA), -1..1 on 0..255.
            albedo: sRGB colour of the surfaces without light; the sky black.
            "flow" alone is (H, W, 2) float32: how far what is seen at a pixel has come since ``view.before``, in
            units in which the picture is 2 wide and 2 high, x to the right, y **up**, limited to +-2.

        Raises:
            RenderError: this machine has no OpenGL.
            ValueError: an unknown picture is wanted.
        """
        if not wants or not wants <= WANTS:
            raise ValueError(f"wants {sorted(wants)}; there are {sorted(WANTS)}")
        if self._stage is None:
            self._stage = _Stage(shared_context(), self._static_scene(), self._actors)
        elif self._stale:
            self._stage.set_static(self._static_scene())
        pictures: dict[str, Pixels] = {}
        if "flow" in wants:
            # A pass of its own: a graphics card need not have more than five targets.
            targets = self._stage.draw(view, frozenset(_READ["flow"]), self._light, self._elapsed_s)
            pictures["flow"] = _decode_flow(targets)
            wants = wants - {"flow"}
            if not wants:
                return pictures
        delivered = frozenset(part for name in wants for part in _READ[name])
        self._stage.shapes.show(self._shapes)
        targets = self._stage.draw(view, delivered, self._light, self._elapsed_s)
        pictures |= {name: targets.read(_READ[name][0]) for name in sorted(wants - {"semantic"})}
        if "semantic" in wants:
            label = pictures["instance"].copy() if "instance" in wants else targets.read("label")
            label.view("<u4")[...] &= np.uint32(0xFFFF0000)
            pictures["semantic"] = label
        return pictures

    def close(self) -> None:
        """Give all buffers and geometry back; the next :meth:`render` would make them anew."""
        if self._stage is not None:
            self._stage.close()
            self._stage = None


class _Stage:
    """Everything of a renderer that lives in OpenGL."""

    def __init__(self, context: Context, static: StaticScene, actors: Actors) -> None:
        self._context = context
        self._actors = actors
        self.constants = shaders.FrameConstants()
        self.root = core.NodePath("world")
        self.root.set_shader_input("frame", self.constants.shared)
        self._motion = core.PTA_LMatrix4f.empty_array(2)
        self.root.set_shader_input("motion", self._motion)
        self._detail = make_texture(1 if "llvmpipe" in context.driver else 8)
        self.root.set_shader_input("detail", self._detail)
        self._inputs: dict[str, Any] = {"frame": self.constants.shared, "detail": self._detail}
        self._static = static
        static.root.reparent_to(self.root)
        actors.root.reparent_to(self.root)
        for name, sort in (("solid", 15), ("paint", 21), ("sky", 25), ("glass", 30)):
            kind: Any = core.CullBinManager.BT_front_to_back if name == "solid" else core.CullBinManager.BT_fixed
            kind = core.CullBinManager.BT_back_to_front if name == "glass" else kind
            core.CullBinManager.get_global_ptr().add_bin(name, kind, sort)
        sky = self.root.attach_new_node(screen_triangle())
        sky.set_tag("kind", "sky")
        sky.set_bin("sky", 0)
        sky.set_depth_write(False)
        # The sky lies exactly on the far plane.
        sky.set_attrib(core.DepthTestAttrib.make(core.RenderAttrib.M_less_equal))
        self.shapes = ShapeScene(self.constants.shared)
        self._shadows: dict[bool, Shadows] = {}
        self._targets: OrderedDict[tuple[object, ...], Targets] = OrderedDict()

    def set_static(self, static: StaticScene) -> None:
        self._static.root.remove_node()
        self._static = static
        static.root.reparent_to(self.root)
        self._close_shadows()

    def set_lamps(self, lamps: Lamps) -> None:
        self._static.set_lamps(lamps)

    def _close_shadows(self) -> None:
        for shadows in self._shadows.values():
            shadows.close()
        self._shadows.clear()

    def draw(self, view: View, delivered: frozenset[str], light: Light, elapsed_s: float) -> Targets:
        targets = self._targets_for(view, delivered)
        world = view.world_from_camera()
        flip = np.array([1.0, -1.0, 1.0])
        diagonal = np.hypot(view.width, view.height) / 2.0 / view.focal_px
        self._actors.apply(elapsed_s, light.night > 0.5)
        self._actors.pose_joints(world[:3, 3], world[:3, 0], float(np.cos(np.arctan(diagonal))))
        variants: dict[str, Defines] = {}
        if "rgb" in delivered or "albedo" in delivered:
            variants = self._light(view, world, light, elapsed_s)
            self.constants.upload()
        if "flow_x" in delivered:
            self._look_back(view, world)
            self.constants.upload()
        targets.use(variants, self._inputs)
        targets.show_shapes(self.shapes.root if self.shapes else None)
        targets.aim(view, _camera_matrix(world, flip), NEAR_M, DRAW_FAR_M)
        targets.set_active(True)
        self._actors.hide(view.hidden)
        try:
            self._context.engine.render_frame()
        finally:
            self._actors.unhide(view.hidden)
            targets.set_active(False)
            for shadows in self._shadows.values():
                shadows.rest()
        return targets

    def _targets_for(self, view: View, delivered: frozenset[str]) -> Targets:
        key = (view.width, view.height, delivered)
        targets = self._targets.pop(key, None)
        if targets is None:
            room = KEEP_PX - view.width * view.height
            while self._targets and sum(kept.width * kept.height for kept in self._targets.values()) > room:
                self._targets.popitem(last=False)[1].close()
            drawn = {part for name in delivered for part in (_LIT if name in ("rgb", "albedo") else (name,))}
            outputs = tuple(part for part in _ORDER if part in drawn)
            targets = Targets(self._context, self.root, view.width, view.height, outputs, delivered)
        self._targets[key] = targets
        return targets

    def _light(self, view: View, world: npt.NDArray[np.float64], light: Light, elapsed_s: float) -> dict[str, Defines]:
        """Fill the frame constants; return the #defines of each colour pass."""
        flip = np.array([1.0, -1.0, 1.0])
        camera = world[:3, 3] * flip
        rows = self.constants.rows
        rows[shaders.CAMERA] = (*camera, elapsed_s % 4096.0)
        rows[shaders.SUN] = (*light.sun, light.night)
        rows[shaders.SUN_COLOR] = (*light.sun_color, 0.0)
        rows[shaders.SKY_UP] = (*light.sky_up, light.wetness)
        rows[shaders.BOUNCE] = (*light.bounce, light.puddles)
        optics = view.optics
        exposure = light.exposure
        if optics.exposure_mode == "manual":
            exposure = 0.45 * 2.0 ** (DEFAULT_EV100 - optics.manual_ev100())
        exposure *= 2.0**optics.exposure_compensation
        rows[shaders.HORIZON] = (*light.horizon, exposure)
        rows[shaders.ZENITH] = (*light.zenith, light.cloudiness)
        above = max(camera[2] - self._static.ground_z, 0.0)
        rows[shaders.FOG] = (
            light.fog_density,
            light.fog_start_m,
            1.0 / light.fog_height_m,
            np.exp(-above / light.fog_height_m),
        )
        always_on = 1 | (1 << SWITCHES.index("night") if light.night > 0.5 else 0)
        rows[shaders.FOG_COLOR] = (*light.fog_color, always_on)
        self._aim_rays(view, world)
        rows[shaders.FORWARD, 3] = 1.7 / light.exposure
        drift = light.wind * elapsed_s * 0.002
        rows[shaders.PIXEL] = (1.0 / view.width, 1.0 / view.height, drift % 1.0, (0.4 * drift) % 1.0)
        rows[shaders.MISC] = (0.0, 0.0, 1.0 - light.night, self._static.ground_z)
        rows[shaders.OFFSETS] = (0.0, 0.0, light.rain, 0.25 * light.wind)
        defines: list[tuple[str, int]] = []
        if light.shadows:
            defines += self._shadow(view, camera, light)
        if light.wetness > 0.0:
            defines.append(("WET", 1))
        street = self._static.street_lights(light.night)
        lamps = choose(camera, world[:3, 0] * flip, street, self._actors.headlights())
        if len(lamps):
            defines.append(("LAMPS", 1))
            rows[shaders.LAMPS : shaders.LAMPS + 3 * len(lamps)] = lamps.reshape(-1, 4)
            rows[shaders.UP, 3] = len(lamps)
        clouds: Defines = (("CLOUDS", 1),) if light.cloudiness > 0.1 else ()
        return {"skylight": clouds, "light": tuple(defines), "post": self._post(view, light)}

    def _aim_rays(self, view: View, world: Floats) -> None:
        """Fill in the rays through the picture's centre and towards its right and upper rim."""
        flip = np.array([1.0, -1.0, 1.0])
        rows = self.constants.rows
        rows[shaders.FORWARD] = (*(world[:3, 0] * flip), 0.0)
        rows[shaders.RIGHT] = (*(world[:3, 1] * flip * view.width / 2.0 / view.focal_px), 0.0)
        rows[shaders.UP] = (*(world[:3, 2] * flip * view.height / 2.0 / view.focal_px), 0.0)

    def _look_back(self, view: View, world: Floats) -> None:
        """Tell the shaders where camera and actors were before."""
        self._aim_rays(view, world)
        before = view.before
        then = world if before is None else before.world_from_camera
        clips = np.stack([_clip_matrix(view, world), _clip_matrix(view, then)])
        self._motion.set_data(clips.swapaxes(1, 2).astype(np.float32).tobytes())
        self._actors.look_back(None if before is None else before.rows)

    def _shadow(self, view: View, camera: npt.NDArray[np.float64], light: Light) -> list[tuple[str, int]]:
        small = view.focal_px < SMALL_FOCAL_PX
        shadows = self._shadows.get(small)
        if shadows is None:
            shadows = self._shadows[small] = Shadows(self._context, self._static, self._actors.root, small=small)
        self._inputs.update(shadows.textures())
        moving = self._actors.version if len(self._actors) else None
        shadows.prepare(self.constants, camera, light.sun, moving)
        self.constants.rows[shaders.OFFSETS, :2] = shadows.offsets_m
        return [("SHADOWS", 1)] + ([("SHADOW_ACTORS", 1)] if moving is not None else [])

    def _post(self, view: View, light: Light) -> Defines:
        optics = view.optics
        defines: list[tuple[str, int]] = []
        if optics.postprocess:
            defines.append(("SMOOTH", 1))
            if light.rain > 0.0:
                defines.append(("RAIN", 1))
        neutral = (optics.temp, optics.tint, optics.gamma) == (6500.0, 0.0, 2.2)
        if not neutral:
            defines.append(("GRADE", 1))
            gain = white_balance(optics.temp, optics.tint) if optics.postprocess else np.ones(3)
            self.constants.rows[shaders.POST] = (*gain, 1.0 / optics.gamma)
        return tuple(defines)

    def close(self) -> None:
        for targets in self._targets.values():
            targets.close()
        self._targets.clear()
        self._close_shadows()
        self._actors.root.detach_node()
        self._static.root.remove_node()
        self._detail.release_all()
        self.root.remove_node()
        self.shapes.root.remove_node()


def _clip_matrix(view: View, world: Floats) -> Floats:
    """Return the (4, 4) clip-from-world matrix of a camera pose; the world in ASAM's frame. z is left out."""
    flip = np.diag([1.0, -1.0, 1.0, 1.0])
    lens = np.zeros((4, 4))
    lens[0, 1] = 2.0 * view.focal_px / view.width
    lens[1, 2] = 2.0 * view.focal_px / view.height
    lens[3, 0] = 1.0
    return np.asarray(lens @ invert(world) @ flip)


def _decode_flow(targets: Targets) -> npt.NDArray[np.float32]:
    """Return (H, W, 2) motion from the two buffers that hold it."""
    parts = []
    for name in _READ["flow"]:
        # The buffers hold BGRA; the shader wrote the low byte to red.
        pixels = targets.read(name).astype(np.int32)
        units = pixels[..., 2] + (pixels[..., 1] << 8) + (pixels[..., 0] << 16)
        parts.append((units - 2**23) * np.float32(2.0**-22))
    return np.stack(parts, axis=-1).astype(np.float32)


def _camera_matrix(world: npt.NDArray[np.float64], flip: npt.NDArray[np.float64]) -> core.LMatrix4f:
    """Return Panda3D's camera pose (x right, y forward, z up) of a CARLA camera pose."""
    matrix: Any = np.zeros((4, 4))
    matrix[0, :3] = world[:3, 1] * flip
    matrix[1, :3] = world[:3, 0] * flip
    matrix[2, :3] = world[:3, 2] * flip
    matrix[3, :3] = world[:3, 3] * flip
    matrix[3, 3] = 1.0
    return core.LMatrix4f(*matrix.ravel())
