"""Static props: cones, benches, bins, signs, pots, toys ... each stretched to its blueprint's exact size.

A maker builds a shape of about the right size at the origin; :func:`prop_model` then fits it. Makers are found by the
blueprint's ``shape`` word (the id without its number) through ``MAKERS``.
"""

from __future__ import annotations

from engine.blueprints import VEHICLES
from engine.blueprints.specs import PropSpec
from engine.scene import prop_garden, prop_street, prop_things
from engine.scene.builder import MeshBuilder
from engine.scene.poster import Poster, poster_meshes
from engine.scene.prop_parts import Maker
from engine.scene.rigs import ActorModel
from engine.scene.vehicles import vehicle_model
from foundation.ids import Tag
from foundation.seeds import generator

POSTER_SHAPE = "advertisement"
"""The prop that shows a person."""


def prop_model(
    spec: PropSpec, color: tuple[int, int, int] | None, seed: int, poster: Poster | None = None
) -> ActorModel:
    """Return a prop's model, of the blueprint's exact size and standing on z = 0.

    Args:
        poster: who is shown on an advertisement; other props show nobody.

    Raises:
        KeyError: there is no maker for the spec's shape.
        RealityError: the poster shows somebody who does not exist.
    """
    if spec.vehicle:
        car = vehicle_model(VEHICLES[spec.vehicle], color, seed)
        return ActorModel(spec.id, car.meshes, car.box, car.joints, car.rig)
    builder = MeshBuilder(spec.tags[0] if spec.tags else Tag.STATIC)
    MAKERS[spec.shape](builder, spec.length, spec.width, spec.height, generator(seed, "prop", spec.id))
    builder.fit((-spec.length / 2, -spec.width / 2, 0.0), (spec.length / 2, spec.width / 2, spec.height))
    meshes = builder.meshes()
    if spec.shape == POSTER_SHAPE:
        meshes += tuple(
            poster_meshes(
                poster or Poster(),
                seed,
                face_m=spec.width * prop_street.PAPER_DEEP / 2 + 0.001,
                half_m=spec.length * prop_street.PAPER_WIDE / 2,
                low_m=spec.height * prop_street.PAPER_FROM,
                high_m=spec.height * prop_street.PAPER_TO,
                tag=builder.tag,
            )
        )
    return ActorModel(spec.id, meshes, builder.box(), ())


MAKERS: dict[str, Maker] = {
    "advertisement": prop_street.add_advert,
    "aporosatree": prop_garden.add_broadleaf,
    "atm": prop_street.add_machine,
    "barbeque": prop_garden.add_barbecue,
    "barrel": prop_things.add_barrel,
    "bench": prop_street.add_bench,
    "bike helmet": prop_things.add_helmet,
    "bin": prop_street.add_bin,
    "box": prop_things.add_crate,
    "briefcase": prop_things.add_suitcase,
    "brokentile": prop_things.add_tile,
    "busstop": prop_street.add_bus_stop,
    "busstoplb": prop_street.add_bus_stop,
    "calibrator": prop_street.add_calibrator,
    "chainbarrier": prop_street.add_chain_barrier,
    "chainbarrierend": prop_street.add_chain_barrier,
    "clothcontainer": prop_street.add_container,
    "clothesline": prop_garden.add_clothesline,
    "coconutpalm": prop_garden.add_palm,
    "colacan": prop_things.add_can,
    "constructioncone": prop_street.add_cone,
    "container": prop_street.add_container,
    "creasedbox": prop_things.add_flat_box,
    "cypresstree": prop_garden.add_cypress,
    "dirtdebris": prop_things.add_heap,
    "doghouse": prop_garden.add_dog_house,
    "foodcart": prop_street.add_food_cart,
    "fountain": prop_street.add_fountain,
    "garbage": prop_things.add_garbage,
    "gardenlamp": prop_garden.add_garden_lamp,
    "glasscontainer": prop_street.add_container,
    "gnome": prop_garden.add_gnome,
    "guitarcase": prop_things.add_guitar_case,
    "haybale": prop_garden.add_hay,
    "haybalelb": prop_garden.add_hay,
    "ironplank": prop_things.add_slab,
    "kiosk": prop_street.add_kiosk,
    "mailbox": prop_street.add_mailbox,
    "maptable": prop_garden.add_map_table,
    "mobile": prop_things.add_phone,
    "motorhelmet": prop_things.add_helmet,
    "pergola": prop_garden.add_pergola,
    "plantpot": prop_garden.add_pot,
    "plasticbag": prop_things.add_bag,
    "plasticchair": prop_garden.add_chair,
    "plastictable": prop_garden.add_table,
    "platformgarbage": prop_things.add_garbage_platform,
    "purse": prop_things.add_handbag,
    "shoppingbag": prop_things.add_handbag,
    "shoppingcart": prop_things.add_shopping_cart,
    "shoppingtrolley": prop_things.add_trolley,
    "slide": prop_garden.add_slide,
    "streetbarrier": prop_street.add_barrier,
    "streetfountain": prop_street.add_street_fountain,
    "streetsign": prop_street.add_sign_board,
    "swing": prop_garden.add_swing,
    "swingcouch": prop_garden.add_swing_couch,
    "table": prop_garden.add_table,
    "trafficcone": prop_street.add_cone,
    "trafficwarning": prop_street.add_traffic_warning,
    "trampoline": prop_garden.add_trampoline,
    "trashbag": prop_things.add_bag,
    "trashcan": prop_street.add_trashcan,
    "travelcase": prop_things.add_suitcase,
    "vendingmachine": prop_street.add_machine,
    "warningaccident": prop_street.add_warning_sign,
    "warningconstruction": prop_street.add_warning_sign,
    "wateringcan": prop_things.add_watering_can,
}
"""The maker of each shape word."""
