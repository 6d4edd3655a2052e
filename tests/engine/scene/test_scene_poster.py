"""The person on an advertising board is that person, seen from that side; the board keeps its size."""

from __future__ import annotations

import numpy as np
import pytest

from engine.blueprints import PROPS, WALKERS
from engine.scene.actors import actor_model
from engine.scene.poster import Poster, seen_person
from foundation.errors import RealityError

BOARD = PROPS["static.prop.advertisement"]
ADULT = "walker.pedestrian.0003"


def prints(poster):
    """The meshes of the prints: those whose normals all point out of one face."""
    return [m for m in actor_model(BOARD, None, 0, poster).meshes if len({tuple(n) for n in m.normals.tolist()}) == 1]


def test_the_person_is_life_size_and_stands_on_the_ground():
    corners, _, _ = seen_person(Poster(ADULT), 0)
    # A stride lowers the hips by a few centimetres.
    assert 0.94 < corners[..., 2].max() / WALKERS[ADULT].height <= 1.0
    assert abs(corners[..., 2].min()) < 0.03


def test_a_person_turned_left_is_the_mirror_of_one_turned_right_in_place():
    """At 90 degrees the beholder sees a profile that looks to his left: the shoe's tip is there, heading 270 right."""
    left, right = (seen_person(Poster(ADULT, 0.0, h), 0)[0] for h in (90.0, 270.0))
    feet_left, feet_right = (c[c[..., 2] < 0.06][..., :] for c in (left, right))
    assert feet_left[:, 1].min() < -feet_left[:, 1].max()  # y to the beholder's right; toes reach further than heels
    assert feet_right[:, 1].max() > -feet_right[:, 1].min()


def test_both_faces_show_the_same_picture_and_lie_on_the_paper():
    front, back = prints(Poster(ADULT, 0.3, 45.0))
    assert np.allclose(front.vertices[:, 0], -back.vertices[:, 0])
    assert np.allclose(front.vertices[:, 2], back.vertices[:, 2])
    for mesh, sign in ((front, 1.0), (back, -1.0)):
        assert (mesh.normals == (0.0, sign, 0.0)).all()
        depth = sign * mesh.vertices[:, 1]
        assert depth.min() > 0.0
        assert np.ptp(depth) < 0.007
        assert mesh.tag == BOARD.tags[0]  # a printed person is no pedestrian
        # Wound so that it is seen from outside: counter-clockwise after the flip to a right-handed frame.
        a, b, c = (mesh.vertices[mesh.triangles[:, i]] * (1, -1, 1) for i in range(3))
        outward = np.cross(b - a, c - a)[:, 1] * -sign
        assert (outward > -1e-12).all()


def test_the_board_keeps_its_blueprints_box():
    box = actor_model(BOARD, None, 0, Poster(ADULT)).box
    assert np.allclose(np.array(box.extent) * 2, (BOARD.length, BOARD.width, BOARD.height), atol=1e-3)
    for mesh in prints(Poster(ADULT, 0.25, 90.0)):
        assert np.abs(mesh.vertices[:, 0]).max() < BOARD.length / 2
        assert 0.0 < mesh.vertices[:, 2].min() < mesh.vertices[:, 2].max() < BOARD.height


def test_another_moment_is_another_picture_and_the_seed_chooses_somebody():
    assert not np.array_equal(prints(Poster(ADULT, 0.0))[0].vertices, prints(Poster(ADULT, 0.25))[0].vertices)
    assert len(prints(Poster())) == 2


def test_nobody_of_that_name_is_an_error():
    with pytest.raises(RealityError, match=r"no walker 'walker\.pedestrian\.9999'"):
        actor_model(BOARD, None, 0, Poster("walker.pedestrian.9999"))
