"""The sensor blueprints of 0.9.16 with their attributes, defaults and restrictions."""

from __future__ import annotations

from engine.blueprints.specs import SensorSpec

Attribute = tuple[str, str, str, tuple[str, ...]]


def _attributes(text: str) -> tuple[Attribute, ...]:
    """Parse "name type=default[|allowed|allowed...]" lines; type is one of b, i, f, s."""
    found = []
    for item in text.split():
        name, kind_and_value = item.split(":")
        kind, value = kind_and_value.split("=")
        default, *allowed = value.split("|")
        found.append((name, kind, default, (default, *allowed) if allowed else ()))
    return tuple(found)


TICK = _attributes("sensor_tick:f=0.0")
CAMERA = (
    *_attributes("fov:f=90.0 image_size_x:i=800 image_size_y:i=600"),
    *_attributes("lens_circle_falloff:f=5.0 lens_circle_multiplier:f=0.0 lens_k:f=-1.0 lens_kcube:f=0.0"),
    *_attributes("lens_x_size:f=0.08 lens_y_size:f=0.08"),
    *TICK,
)
POST = _attributes(
    """enable_postprocess_effects:b=true gamma:f=2.2 motion_blur_intensity:f=0.45 motion_blur_max_distortion:f=0.35
    motion_blur_min_object_screen_size:f=0.1 lens_flare_intensity:f=0.1 bloom_intensity:f=0.675
    exposure_mode:s=histogram|manual exposure_compensation:f=0.0 shutter_speed:f=200.0 iso:f=100.0 fstop:f=1.4
    exposure_min_bright:f=10.0 exposure_max_bright:f=12.0 exposure_speed_up:f=3.0 exposure_speed_down:f=1.0
    calibration_constant:f=16.0 focal_distance:f=1000.0 blur_amount:f=1.0 blur_radius:f=0.0 min_fstop:f=1.2
    blade_count:i=5 slope:f=0.88 toe:f=0.55 shoulder:f=0.26 black_clip:f=0.0 white_clip:f=0.04 temp:f=6500.0
    tint:f=0.0 chromatic_aberration_intensity:f=0.0 chromatic_aberration_offset:f=0.0"""
)
DVS = _attributes(
    """positive_threshold:f=0.3 negative_threshold:f=0.3 sigma_positive_threshold:f=0.0
    sigma_negative_threshold:f=0.0 refractory_period_ns:i=0 use_log:b=True log_eps:f=0.001"""
)
LIDAR = (
    *_attributes("channels:i=32 range:f=10.0 points_per_second:i=56000 rotation_frequency:f=10.0"),
    *_attributes("upper_fov:f=10.0 lower_fov:f=-30.0 horizontal_fov:f=360.0"),
    *TICK,
)
LIDAR_NOISE = _attributes(
    """atmosphere_attenuation_rate:f=0.004 noise_seed:i=0 dropoff_general_rate:f=0.45 dropoff_intensity_limit:f=0.8
    dropoff_zero_intensity:f=0.4 noise_stddev:f=0.0"""
)
RADAR = (*_attributes("horizontal_fov:f=30 vertical_fov:f=30 range:f=100 points_per_second:i=1500 noise_seed:i=0"),)
GNSS = _attributes(
    """noise_seed:i=0 noise_lat_stddev:f=0.0 noise_lat_bias:f=0.0 noise_lon_stddev:f=0.0 noise_lon_bias:f=0.0
    noise_alt_stddev:f=0.0 noise_alt_bias:f=0.0"""
)
IMU = _attributes(
    """noise_seed:i=0 noise_accel_stddev_x:f=0.0 noise_accel_stddev_y:f=0.0 noise_accel_stddev_z:f=0.0
    noise_gyro_stddev_x:f=0.0 noise_gyro_stddev_y:f=0.0 noise_gyro_stddev_z:f=0.0
    noise_gyro_bias_x:f=0.0 noise_gyro_bias_y:f=0.0 noise_gyro_bias_z:f=0.0"""
)
OBSTACLE = _attributes("distance:f=5.0 hit_radius:f=0.5 only_dynamics:b=false debug_linetrace:b=false")
V2X_CUSTOM = _attributes(
    """noise_seed:i=0 frequency_ghz:f=5.9 transmit_power:f=21.5 receiver_sensitivity:f=-99.0
    combined_antenna_gain:f=10.0 scenario:s=highway|rural|urban path_loss_exponent:f=2.7 d_ref:f=1.0
    filter_distance:f=500.0 use_etsi_fading:b=true custom_fading_stddev:f=0.0 path_loss_model:s=winner|geometric"""
)
V2X = (
    *V2X_CUSTOM,
    *_attributes("gen_cam_min:f=0.1 gen_cam_max:f=1.0 fixed_rate:b=false"),
    *_attributes(
        " ".join(f"noise_{axis}_{what}:f=0.0" for axis in ("lat", "lon", "alt", "head") for what in ("stddev", "bias"))
    ),
    *_attributes("noise_accel_stddev_x:f=0.0 noise_accel_stddev_y:f=0.0 noise_accel_stddev_z:f=0.0"),
    *_attributes("noise_yawrate_stddev:f=0.0 noise_yawrate_bias:f=0.0 noise_vel_stddev_x:f=0.0"),
)

# Registry order of 0.9.16: the index is what the stream header carries.
_ORDER: tuple[tuple[int, str, bool, tuple[Attribute, ...]], ...] = (
    (0, "sensor.other.collision", True, ()),
    (1, "sensor.camera.depth", True, CAMERA),
    (2, "sensor.camera.normals", True, CAMERA),
    (3, "sensor.camera.dvs", True, CAMERA + POST + DVS),
    (4, "sensor.other.gnss", True, TICK + GNSS),
    (5, "sensor.other.imu", True, TICK + IMU),
    (6, "sensor.other.lane_invasion", False, ()),
    (7, "sensor.other.obstacle", True, TICK + OBSTACLE),
    (8, "sensor.camera.optical_flow", True, CAMERA),
    (9, "sensor.other.radar", True, TICK + RADAR),
    (10, "sensor.lidar.ray_cast_semantic", True, LIDAR),
    (11, "sensor.lidar.ray_cast", True, LIDAR + LIDAR_NOISE),
    (12, "sensor.other.rss", False, ()),
    (13, "sensor.camera.rgb", True, CAMERA + POST),
    (14, "sensor.camera.semantic_segmentation", True, CAMERA),
    (15, "sensor.camera.instance_segmentation", True, CAMERA),
    (16, "sensor.camera.cosmos_visualization", True, CAMERA),
    (20, "sensor.other.v2x", True, TICK + V2X),
    (21, "sensor.other.v2x_custom", True, TICK + V2X_CUSTOM),
)

SENSORS: dict[str, SensorSpec] = {
    name: SensorSpec(name, index, streamed, attributes) for index, name, streamed, attributes in _ORDER
}
"""Sensor specs by blueprint id."""

WORLD_OBSERVER_INDEX = 17
GBUFFER_INDEX = 18
