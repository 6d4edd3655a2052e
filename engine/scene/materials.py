"""The materials that the generators share. Few of them: each material of a model is a draw call.

Colours vary by vertex, so one "paint" serves every car.
"""

from __future__ import annotations

from engine.geometry import Material

PAINT = Material("paint", gloss=0.6)
METAL = Material("metal", gloss=0.7)
MATT = Material("matt")
PLASTIC = Material("plastic", gloss=0.25)
GLASS = Material("glass", gloss=0.9)
CLOTH = Material("cloth")
SKIN = Material("skin", gloss=0.1)
SIGN = Material("sign", gloss=0.2)

HEADLAMP = Material("headlamp", gloss=0.8, emission=(1.0, 0.97, 0.86), light="low_beam")
TAIL_LAMP = Material("tail_lamp", gloss=0.6, emission=(0.55, 0.02, 0.02), light="position")
BRAKE_LAMP = Material("brake_lamp", gloss=0.6, emission=(1.0, 0.06, 0.04), light="brake")
REVERSE_LAMP = Material("reverse_lamp", gloss=0.6, emission=(0.95, 0.95, 0.95), light="reverse")
FOG_LAMP = Material("fog_lamp", gloss=0.6, emission=(0.95, 0.95, 0.8), light="fog")
LEFT_BLINKER = Material("left_blinker", gloss=0.6, emission=(1.0, 0.5, 0.02), light="left_blinker")
RIGHT_BLINKER = Material("right_blinker", gloss=0.6, emission=(1.0, 0.5, 0.02), light="right_blinker")
BEACON = Material("beacon", gloss=0.6, emission=(0.1, 0.25, 1.0), light="special1")

STREET_LAMP = Material("street_lamp", gloss=0.4, emission=(1.0, 0.86, 0.6), light="night")
LIT_SIGN = Material("lit_sign", gloss=0.4, emission=(0.8, 0.75, 0.6), light="night")
TUNNEL_LAMP = Material("tunnel_lamp", gloss=0.4, emission=(1.0, 0.95, 0.8))
RED_LAMP = Material("red_lamp", gloss=0.5, emission=(1.0, 0.08, 0.05), light="red")
YELLOW_LAMP = Material("yellow_lamp", gloss=0.5, emission=(1.0, 0.72, 0.08), light="yellow")
GREEN_LAMP = Material("green_lamp", gloss=0.5, emission=(0.1, 1.0, 0.45), light="green")

ASPHALT = Material("asphalt", gloss=0.05, texture="asphalt")
PAVEMENT = Material("pavement", texture="pavement")
CONCRETE = Material("concrete", texture="concrete")
GRASS = Material("grass", texture="grass")
ROAD_PAINT = Material("road_paint", gloss=0.1)
FACADE = Material("facade", texture="facade")
ROOF = Material("roof", texture="roof")
GRAVEL = Material("gravel", texture="gravel")
BRICK = Material("brick", texture="brick")
PLASTER = Material("plaster", texture="concrete")
TIMBER = Material("timber", texture="wood")
BARK = Material("bark", texture="bark")
LEAVES = Material("leaves", texture="leaves")
WINDOW = Material("window", gloss=0.85)
LIT_WINDOW = Material("lit_window", gloss=0.85, emission=(0.95, 0.75, 0.42), light="night")
