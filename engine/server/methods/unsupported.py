"""Remote procedures of 0.9.16 that have no meaning here: each answers a clear error."""

from __future__ import annotations

from engine.server.registry import unsupported

unsupported(("enable_carsim", "use_carsim_road"), "there is no CarSim here", returns=False)
unsupported(("enable_chrono_physics",), "there is no Chrono here", returns=False)
unsupported(("show_vehicle_debug_telemetry",), "there is no window to show it in", returns=False)
unsupported(("enable_sensor_for_ros",), "there is no ROS bridge in this server", returns=False)
