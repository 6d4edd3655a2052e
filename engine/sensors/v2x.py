"""``sensor.other.v2x`` and ``sensor.other.v2x_custom``: radio messages between the actors that carry them."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from engine.sensors.base import Sensor, SensorContext, register
from engine.sensors.cam import CamService
from engine.sensors.radio import Letter, Radio

CUSTOM_TEXT_BYTES = 100
_POWER = struct.Struct("<f4x")
_CUSTOM = struct.Struct("<qqq100s4x")
_PROTOCOL_VERSION, _CUSTOM_MESSAGE = 2, 0


class _V2x(Sensor):
    """What both share: an antenna, and messages that last one frame. Sending needs no listener, receiving does."""

    transmits = True
    channel = ""

    def __init__(self, attributes: Mapping[str, str], actor_id: int, seed: int = 0) -> None:
        super().__init__(attributes, actor_id, seed)
        self._radio = Radio(attributes)

    def _carrier(self, context: SensorContext) -> int:
        """Return the actor that the sensor hangs on; the sensor itself when it hangs on nothing."""
        parent = int(context.table[self.actor_id]["parent"])
        return parent if parent in context.table else self.actor_id

    def capture(self, context: SensorContext) -> bytes | None:
        """Return all messages that arrive in this frame; None when there are none."""
        sent: dict[int, list[Letter]] = getattr(context.air, self.channel)
        letters = [letter for sensor, several in sorted(sent.items()) if sensor != self.actor_id for letter in several]
        arrived = self._radio.received(letters, self._carrier(context), context, self.rng)
        return b"".join(_POWER.pack(power) + record for power, record in arrived) or None


@register("sensor.other.v2x")
class V2x(_V2x):
    """Cooperative awareness messages: sends its carrier's, receives those of others. It must be attached."""

    type_index = 20
    channel = "cam"

    def __init__(self, attributes: Mapping[str, str], actor_id: int, seed: int = 0) -> None:
        super().__init__(attributes, actor_id, seed)
        self._service = CamService(attributes, self.rng)

    def capture(self, context: SensorContext) -> bytes | None:
        """Return the messages that arrive; None when there are none, or when nothing carries the antenna."""
        return None if self._carrier(context) == self.actor_id else super().capture(context)

    def transmit(self, context: SensorContext) -> None:
        """Send the carrier's message when it is time for one."""
        carrier = self._carrier(context)
        if carrier == self.actor_id:
            return
        record = self._service.message(context, carrier)
        if record is not None:
            context.air.cam[self.actor_id] = [Letter(carrier, self._radio.power_dbm, record)]


@register("sensor.other.v2x_custom")
class CustomV2x(_V2x):
    """Texts of up to 99 bytes that clients hand to :meth:`send`; they are in the air during the next frame."""

    type_index = 21
    channel = "custom"

    def __init__(self, attributes: Mapping[str, str], actor_id: int, seed: int = 0) -> None:
        super().__init__(attributes, actor_id, seed)
        self._outbox: list[bytes] = []

    def send(self, text: str) -> None:
        """Queue a text for the next frame; it is cut to 99 bytes, as the message has room for no more."""
        self._outbox.append(text.encode("utf-8", "surrogateescape")[: CUSTOM_TEXT_BYTES - 1])

    def transmit(self, context: SensorContext) -> None:
        """Put what was queued into the air."""
        carrier = self._carrier(context)
        if self._outbox:
            context.air.custom[self.actor_id] = [
                Letter(carrier, self._radio.power_dbm, _CUSTOM.pack(_PROTOCOL_VERSION, _CUSTOM_MESSAGE, carrier, text))
                for text in self._outbox
            ]
        self._outbox.clear()
