"""Sensor models against numbers worked out by hand, and against statistics known without running them."""

from __future__ import annotations

import math

import carla
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.frames import pose_matrices, rotation_matrices
from sensors.models import gnss, imu, lidar, radar


def rng(seed=0):
    return np.random.default_rng(seed)


# --- lidar ---------------------------------------------------------------------------------------------------


def test_vertical_angles_run_from_the_top_down():
    np.testing.assert_allclose(lidar.vertical_angles_deg(5, 10, -30), [10, 0, -10, -20, -30])
    np.testing.assert_allclose(lidar.vertical_angles_deg(1, 7, -30), [7])


@pytest.mark.parametrize(
    ("rate", "delta", "channels", "expected"),
    [(56000, 0.05, 32, 88), (56000, 0.1, 32, 175), (1200000, 0.05, 32, 1875), (100, 0.05, 32, 0), (320, 0.05, 32, 1)],
)
def test_points_per_channel_round_half_up(rate, delta, channels, expected):
    assert lidar.points_per_channel(rate, delta, channels) == expected  # 87.5 -> 88, 0.156 -> 0, 0.5 -> 1


def test_the_head_turns_by_frequency_times_fov_times_step_and_wraps():
    assert lidar.sweep_deg(10, 360, 0.05) == pytest.approx(180)
    np.testing.assert_allclose(lidar.azimuths_deg(270, 180, 4, 360), [90, 135, -180, -135])
    np.testing.assert_allclose(lidar.azimuths_deg(0, 60, 3, 120), [-60, -40, -20])


def test_directions_follow_carlas_axes_and_the_sensors_rotation():
    rays = lidar.directions(np.array([0.0, 30.0]), np.array([0.0, 90.0]))
    np.testing.assert_allclose(rays[0], [(1, 0, 0), (0, 1, 0)], atol=1e-7)
    np.testing.assert_allclose(rays[1, 0], (math.cos(math.pi / 6), 0, 0.5), atol=1e-7)
    for elevation, azimuth in ((20.0, -130.0), (-15.0, 40.0)):
        turned = carla.Transform(carla.Location(), carla.Rotation(pitch=elevation, yaw=azimuth)).get_forward_vector()
        ray = lidar.directions(np.array([elevation]), np.array([azimuth]))[0, 0]
        np.testing.assert_allclose(ray, (turned.x, turned.y, turned.z), atol=1e-6)
    rotation = rotation_matrices((10, 120, -35))
    angles = np.linspace(-30, 10, 7), np.linspace(-180, 180, 50)
    np.testing.assert_allclose(
        lidar.directions(*angles, rotation), lidar.directions(*angles) @ rotation.T.astype(np.float32), atol=1e-6
    )


def test_intensity_is_the_exponential_of_the_distance():
    np.testing.assert_allclose(lidar.intensity(np.array([0.0, 50.0, 100.0]), 0.004), [1, 0.818731, 0.670320], atol=1e-6)


def share_is(kept, expected):
    error = math.sqrt(expected * (1 - expected) / kept.size)
    assert kept.mean() == pytest.approx(expected, abs=4 * error + 1e-12)


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.45, 1.0])
def test_general_dropoff_leaves_out_its_share(rate):
    share_is(lidar.fires(100_000, rate, rng()), 1 - rate)


@pytest.mark.parametrize(
    ("intensity", "expected"), [(0.9, 1.0), (0.81, 1.0), (0.8, 1.0), (0.4, 0.8), (0.2, 0.7), (0.0, 0.6)]
)
def test_weak_hits_survive_by_carlas_line(intensity, expected):
    """With limit 0.8 and z = 0.4 the chance is 0.6 + 0.5 I up to the limit."""
    share_is(lidar.survives(np.full(100_000, intensity), 0.8, 0.4, rng()), expected)


def test_no_dropoff_when_switched_off():
    assert lidar.survives(np.linspace(0, 1, 1000), 0.8, 0.0, rng()).all()
    assert lidar.survives(np.linspace(1e-9, 1, 1000), 0.0, 0.4, rng()).all()


def test_range_noise_has_its_spread_and_zero_changes_nothing():
    true = np.full(100_000, 20.0, np.float32)
    assert lidar.add_range_noise(true, 0.0, rng()) is true
    noise = lidar.add_range_noise(true, 0.05, rng()) - true
    assert noise.mean() == pytest.approx(0, abs=4 * 0.05 / math.sqrt(1e5))
    assert noise.std() == pytest.approx(0.05, rel=4 / math.sqrt(2e5))


# --- radar ---------------------------------------------------------------------------------------------------


def test_cone_ends_fill_an_ellipse_on_the_far_plane_densest_at_the_axis():
    ends = radar.cone_ends_m(200_000, 60, 20, 100, rng())
    np.testing.assert_allclose(ends[:, 0], 100)
    wide, high = 100 * math.tan(math.radians(30)), 100 * math.tan(math.radians(10))
    rho = np.hypot(ends[:, 1] / wide, ends[:, 2] / high)
    assert rho.max() <= 1 + 1e-9
    share_is(rho < 0.5, 0.5)  # rho is uniform; uniform over the area would give 0.25
    share_is(ends[:, 1] > 0, 0.5)
    share_is(np.arctan2(ends[:, 2] / high, ends[:, 1] / wide) > math.pi / 2, 0.25)


def test_azimuth_grows_to_the_right_and_altitude_upwards():
    azimuth, altitude = radar.azimuth_altitude(np.array([(1, 0, 0), (0.6, 0.8, 0), (0.8, 0, 0.6)], dtype=float))
    np.testing.assert_allclose(azimuth, [0, math.atan2(0.8, 0.6), 0])
    np.testing.assert_allclose(altitude, [0, 0, math.asin(0.6)])


def test_what_approaches_has_a_negative_velocity():
    rays = np.array([(1.0, 0, 0), (0, 1.0, 0), (1.0, 0, 0)])
    targets = np.array([(-5.0, 0, 0), (3.0, -2.0, 0), (20.0, 0, 0)])
    np.testing.assert_allclose(radar.radial_velocity(targets, np.array([10.0, 0, 0]), rays), [-15, -2, 10])


# --- IMU -----------------------------------------------------------------------------------------------------


@given(
    st.floats(0.01, 0.2), st.floats(0.01, 0.2), st.tuples(*[st.floats(-20, 20)] * 3), st.tuples(*[st.floats(-9, 9)] * 3)
)
def test_constant_acceleration_is_recovered_over_uneven_steps(h1, h2, velocity, acceleration):
    times = np.array([-h2, 0.0, h1])[:, None]
    oldest, middle, newest = times * np.array(velocity) + 0.5 * times**2 * np.array(acceleration)
    np.testing.assert_allclose(imu.acceleration_mps2(newest, middle, oldest, h1, h2), acceleration, atol=1e-8)


def test_gravity_pushes_up_at_rest_and_turns_with_the_sensor():
    level = pose_matrices((0, 0, 0), (0, 77, 0))
    np.testing.assert_allclose(imu.specific_force_mps2(np.zeros(3), 9.81, level), (0, 0, 9.81), atol=1e-12)
    nose_up = pose_matrices((0, 0, 0), (90, 0, 0))
    np.testing.assert_allclose(imu.specific_force_mps2(np.zeros(3), 9.81, nose_up), (9.81, 0, 0), atol=1e-12)


def test_rates_are_seen_in_sensor_axes():
    on_its_side = pose_matrices((0, 0, 0), (0, 0, 90))  # right side down: its y axis points down
    np.testing.assert_allclose(
        imu.angular_rate_radps(np.array([0, 0, 180.0]), on_its_side), (0, -math.pi, 0), atol=1e-12
    )


@pytest.mark.parametrize(("yaw", "expected"), [(-90, 0), (0, 90), (90, 180), (180, 270), (-45, 45)])
def test_the_compass_points_north_at_minus_y(yaw, expected):
    heading = math.degrees(imu.compass_rad(pose_matrices((0, 0, 0), (5, yaw, 3))))
    assert (heading - expected + 180) % 360 - 180 == pytest.approx(0, abs=1e-9)
    assert 0 <= heading < 360


# --- GNSS ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lat", [0.0, 42.0, 49.3, -33.9])
def test_positions_agree_with_the_genuine_clients_map(lat):
    text = f"""<OpenDRIVE><header revMajor="1" revMinor="4">
        <geoReference><![CDATA[+proj=tmerc +lat_0={lat} +lon_0=8.5]]></geoReference></header>
        <road name="" length="10" id="1" junction="-1">
        <planView><geometry s="0" x="0" y="0" hdg="0" length="10"><line/></geometry></planView>
        <lanes><laneSection s="0"><center><lane id="0" type="none" level="false"/></center>
        <right><lane id="-1" type="driving" level="false"><width sOffset="0" a="3" b="0" c="0" d="0"/></lane></right>
        </laneSection></lanes></road></OpenDRIVE>"""
    town = carla.Map("georeferenced", text)
    for x, y, z in ((0, 0, 0), (1234.5, -987.25, 12), (-20000, 15000, 300), (3, 4, -5)):
        expected = town.transform_to_geolocation(carla.Location(x=x, y=y, z=z))
        latitude, longitude, altitude = gnss.geolocation(x, y, z, lat, 8.5)
        assert latitude == pytest.approx(expected.latitude, abs=1e-8)
        assert longitude == pytest.approx(expected.longitude, abs=1e-8)
        assert altitude == pytest.approx(expected.altitude, abs=1e-4)
