"""Weather, light and lamps: which way pictures must change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from render_worlds import box_mesh, car_model, model, plate_mesh, thing, world

from engine.geometry import Material
from engine.protocol.structs import WeatherParameters
from engine.render import Optics, RenderError, View, context
from engine.render.weather import ClearNoon, light_of, white_balance
from engine.state import ActorTable, Kind
from foundation.ids import Tag

RGB = frozenset({"rgb"})
FLAT = Optics(exposure_mode="manual", postprocess=False)
NIGHT = replace(ClearNoon(), sun_altitude_angle=-90.0)


def luminance(picture):
    return picture[..., 2::-1] @ np.array([0.2126, 0.7152, 0.0722])


def ground(gloss=0.05):
    material = Material("asphalt", gloss=gloss, texture="asphalt")
    return thing(1, Tag.ROADS, plate_mesh(-200, 200, -200, 200, 0.0, Tag.ROADS, material=material, step=20.0))


def test_shadow_lies_where_the_sun_puts_it(renderer_of):
    """Sun at azimuth 90 (from +y), 45 degrees high: a pole of 10 m throws its shadow 10 m towards -y."""
    pole = thing(2, Tag.POLES, box_mesh((0, 0, 5), (0.5, 0.5, 5), Tag.POLES))
    renderer = renderer_of(world(ground(0.0), pole))
    renderer.set_weather(replace(ClearNoon(), sun_azimuth_angle=90.0))
    view = View((0.0, 0.0, 60.0), (-90.0, 0.0, 0.0), 90.0, 600, 600, FLAT)
    light = luminance(renderer.render(view, RGB)["rgb"])
    # Looking straight down with +x up and +y right: 5 px a metre.
    lit = light[300, 300 + 5 * 7]
    assert light[300, 300 - 5 * 7] < 0.6 * lit
    assert light[300, 300 - 5 * 14] == pytest.approx(lit, rel=0.25)
    assert light[300 - 5 * 7, 300] == pytest.approx(lit, rel=0.25)


def test_moving_shadows_follow_their_actor(renderer_of):
    renderer, table = renderer_of(world(ground(0.0))), ActorTable()
    renderer.set_weather(replace(ClearNoon(), sun_azimuth_angle=90.0))
    renderer.add_actor(3, model(box_mesh((0, 0, 2), (1, 0.3, 2), Tag.CAR)), 3)
    table.add(3, Kind.PROP)
    view = View((0.0, 0.0, 40.0), (-90.0, 0.0, 0.0), 90.0, 400, 400, FLAT)
    for x in (0.0, 10.0):
        table[3]["location"] = (x, 0, 0)
        renderer.update(table, 0.0)
        light = luminance(renderer.render(view, RGB)["rgb"])
        here, away = (200 - int(5 * x), 200 - 5 * 2), (200 - int(5 * (10.0 - x)), 200 - 5 * 2)
        assert light[here] < 0.6 * light[away]


def test_night_is_dark_and_headlights_show_the_road(renderer_of):
    renderer, table = renderer_of(world(ground())), ActorTable()
    renderer.set_weather(NIGHT)
    renderer.add_actor(3, car_model(), 3)
    table.add(3, Kind.VEHICLE)
    view = View((-0.5, 0.0, 2.5), (-8.0, 0.0, 0.0), 90.0, 200, 150)

    def ahead(lights):
        table[3]["lights"] = lights
        renderer.update(table, 0.0)
        return luminance(renderer.render(view, RGB)["rgb"])[85:95, 90:110].mean()

    noon = renderer_of(world(ground()))
    day = luminance(noon.render(view, RGB)["rgb"])[85:95, 90:110].mean()
    dark, low, high = ahead(0), ahead(2), ahead(4)
    assert dark < 0.45 * day
    assert low > dark + 15
    assert high > low


def test_a_beam_points_where_its_car_points(renderer_of):
    renderer, table = renderer_of(world(ground())), ActorTable()
    renderer.set_weather(NIGHT)
    renderer.add_actor(3, car_model(), 3)
    row = table.add(3, Kind.VEHICLE)
    row["lights"], row["rotation"] = 2, (0.0, 90.0, 0.0)
    renderer.update(table, 0.0)
    view = View((0.0, 0.0, 50.0), (-90.0, 0.0, 0.0), 90.0, 300, 300)
    light = luminance(renderer.render(view, RGB)["rgb"])
    # +x up, +y right, 3 px a metre: the road 15 m to the right is lit, the other sides are not.
    assert light[150, 150 + 45] > light[150, 150 - 45] + 10
    assert light[150, 150 + 45] > light[150 - 45, 150] + 10


def test_street_lamps_shine_at_night_only(renderer_of):
    lamp = Material("street_lamp", emission=(1.0, 0.86, 0.6), light="night")
    head = thing(2, Tag.POLES, box_mesh((20, 0, 6), (0.3, 0.3, 0.1), Tag.POLES, material=lamp))
    renderer, bare = renderer_of(world(ground(), head)), renderer_of(world(ground()))
    view = View((0.0, 0.0, 1.5), (0.0, 0.0, 0.0), 60.0, 200, 150)
    for weather, brighter in ((NIGHT, True), (ClearNoon(), False)):
        renderer.set_weather(weather)
        bare.set_weather(weather)
        below = [luminance(r.render(view, RGB)["rgb"])[84:92, 90:110].mean() for r in (renderer, bare)]
        assert (below[0] > below[1] + 8) == brighter


@pytest.mark.parametrize(
    ("flag", "switch", "elapsed", "shines"),
    [
        (8, "brake", 0.0, True),
        (0, "brake", 0.0, False),
        (64, "reverse", 0.0, True),
        (2, "position", 0.0, True),
        (16, "right_blinker", 0.0, True),
        (16, "right_blinker", 0.5, False),
        (32, "right_blinker", 0.0, False),
        (32, "left_blinker", 0.7, True),
        (512, "special1", 0.0, True),
    ],
)
def test_vehicle_lamps_follow_the_light_state(renderer_of, flag, switch, elapsed, shines):
    lamp = Material("lamp", color=(0.2, 0.0, 0.0), emission=(1.0, 0.1, 0.1), light=switch)
    renderer, table = renderer_of(world(ground())), ActorTable()
    renderer.set_weather(NIGHT)
    renderer.add_actor(3, model(box_mesh((0, 0, 1), (1, 1, 1), Tag.CAR, material=lamp)), 3)
    row = table.add(3, Kind.VEHICLE)
    row["location"], row["lights"] = (6, 0, 0), flag
    renderer.update(table, elapsed)
    view = View((0.0, 0.0, 1.0), (0.0, 0.0, 0.0), 60.0, 64, 64, Optics(postprocess=False))
    red = renderer.render(view, RGB)["rgb"][32, 32, 2]
    assert (red > 150) == shines


@pytest.mark.parametrize(("state", "switch"), [(0, "red"), (1, "yellow"), (2, "green")])
def test_traffic_lamps_follow_the_state(renderer_of, state, switch):
    renderer, table = renderer_of(world(ground())), ActorTable()
    names = ("red", "yellow", "green")
    lamps = [
        box_mesh(
            (6, n - 1, 1), (0.4, 0.4, 0.4), Tag.TRAFFIC_LIGHT, (20, 20, 20), Material(s, emission=(1, 1, 1), light=s)
        )
        for n, s in enumerate(names)
    ]
    renderer.add_actor(3, model(*lamps), 3)
    table.add(3, Kind.TRAFFIC_LIGHT)["light_state"] = state
    renderer.update(table, 0.0)
    picture = renderer.render(View((0.0, 0.0, 1.0), (0.0, 0.0, 0.0), 60.0, 120, 90, Optics(postprocess=False)), RGB)
    row = luminance(picture["rgb"])[45]
    focal = 60 / np.tan(np.radians(30))
    bright = [row[int(60 + focal * (n - 1) / 5.6)] > 170 for n in range(3)]
    assert bright == [name == switch for name in names]


def test_weather_moves_colours_only(renderer_of):
    """Fog, rain, night: labels and depth stay the same bytes; the colours change."""
    renderer = renderer_of(world(ground(), thing(2, Tag.WALLS, box_mesh((60, 0, 2), (1, 8, 2), Tag.WALLS))))
    view = View((0.0, 0.0, 1.5), (0.0, 0.0, 0.0), 90.0, 160, 120)
    everything = frozenset({"rgb", "depth", "semantic", "instance"})
    base = renderer.render(view, everything)
    for change in (
        {"fog_density": 80.0},
        {"precipitation": 80.0, "precipitation_deposits": 80.0, "cloudiness": 90.0},
        {"sun_altitude_angle": -30.0},
        {"dust_storm": 100.0},
        {"wetness": 80.0},
        {"cloudiness": 80.0},
        {"sun_altitude_angle": 8.0},
    ):
        renderer.set_weather(WeatherParameters(**({"sun_altitude_angle": 45.0} | change)))
        other = renderer.render(view, everything)
        for name in ("depth", "semantic", "instance"):
            assert np.array_equal(base[name], other[name]), (change, name)
        assert np.abs(base["rgb"].astype(int) - other["rgb"]).mean() > 2, change


def test_fog_hides_the_distance_first(renderer_of):
    walls = [
        thing(n + 2, Tag.WALLS, box_mesh((x, y, 2), (1, 3, 2), Tag.WALLS, (30, 30, 30)))
        for n, (x, y) in enumerate(((15, -6), (150, 20)))
    ]
    renderer = renderer_of(world(ground(), *walls))
    view = View((0.0, 0.0, 1.5), (0.0, 0.0, 0.0), 90.0, 400, 300)
    tag = renderer.render(view, frozenset({"instance"}))["instance"]
    near, far = (tag[..., 1] == 1) & (tag[..., 0] == 0x80), (tag[..., 1] == 2) & (tag[..., 0] == 0x80)
    assert near.any()
    assert far.any()
    renderer.set_weather(replace(ClearNoon(), fog_density=100.0, fog_distance=0.0, fog_falloff=0.0))
    light = luminance(renderer.render(view, RGB)["rgb"])
    assert light[far].mean() > light[near].mean() + 40


def test_light_is_finite_for_every_sun():
    for altitude in np.linspace(-90, 90, 61):
        for cloud in (0.0, 50.0, 100.0):
            light = light_of(replace(ClearNoon(), sun_altitude_angle=float(altitude), cloudiness=cloud))
            for value in (light.sun_color, light.sky_up, light.bounce, light.horizon, light.zenith, light.fog_color):
                assert np.isfinite(value).all()
                assert (value >= 0).all()
            assert 0 < light.exposure < 100
            assert np.linalg.norm(light.sun) == pytest.approx(1.0)


def test_sunlight_reddens_towards_the_horizon():
    high, low = (light_of(replace(ClearNoon(), sun_altitude_angle=a)).sun_color for a in (60.0, 5.0))
    assert low[0] / low[2] > 1.5 * high[0] / high[2]
    assert low.sum() < high.sum()


def test_white_balance():
    assert white_balance(6500.0, 0.0) == pytest.approx([1.0, 1.0, 1.0])
    warm = white_balance(9000.0, 0.0)
    assert warm[0] > warm[2]
    assert white_balance(6500.0, -0.5)[1] > 1.0


def test_no_opengl_is_one_clear_error(monkeypatch):
    class NoPipe:
        @staticmethod
        def get_global_ptr():
            return NoPipe()

        def make_module_pipe(self, name):
            return None

    monkeypatch.setattr(context.core, "GraphicsPipeSelection", NoPipe)
    with pytest.raises(RenderError, match="no_rendering_mode"):
        context.Context()


def test_the_sky_is_there_without_scattering_too():
    """The client's WeatherParameters(sun_altitude_angle=60) has a scattering intensity of 0, which is fog's alone."""
    plain, scattering = (
        light_of(WeatherParameters(sun_altitude_angle=60.0, scattering_intensity=s)) for s in (0.0, 1.0)
    )
    for name in ("zenith", "horizon", "sky_up", "sun_color"):
        assert getattr(plain, name) == pytest.approx(getattr(scattering, name))
    assert plain.zenith.min() > 0.1
    assert plain.fog_color == pytest.approx(plain.sky_up)
    assert scattering.fog_color != pytest.approx(scattering.sky_up)
