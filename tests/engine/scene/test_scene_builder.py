import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.geometry import Material
from engine.scene import shapes
from engine.scene.builder import MeshBuilder
from foundation.frames import flip_y
from foundation.ids import Tag

MATT = Material("matt")
sizes = st.floats(0.1, 5.0)


def volume(triangles):
    """Signed volume: positive when a closed surface's triangles are counter-clockwise from outside."""
    return float(np.einsum("ti,ti->t", triangles[:, 0], np.cross(triangles[:, 1], triangles[:, 2])).sum() / 6.0)


def closed(triangles):
    """Every directed edge has its opposite: no hole, no face turned over."""
    corners = np.round(triangles, 6) + 0.0
    edges = {}
    for a, b in ((0, 1), (1, 2), (2, 0)):
        for start, end in zip(map(tuple, corners[:, a]), map(tuple, corners[:, b])):
            if start != end:
                edges[start, end] = edges.get((start, end), 0) + 1
    return all(edges.get((b, a)) == n for (a, b), n in edges.items())


@settings(deadline=None)
@given(sizes, sizes, sizes)
def test_a_box_has_its_volume_and_no_hole(length, width, height):
    triangles = shapes.box((1.0, -2.0, 0.5), (length, width, height))
    assert volume(triangles) == pytest.approx(length * width * height)
    assert closed(triangles)


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_a_turned_cylinder_has_the_volume_of_its_polygon(axis):
    radius, height, sides = 0.7, 1.3, 24
    triangles = shapes.lathe([(0, 0), (radius, 0), (radius, height), (0, height)], sides, (3.0, 1.0, 2.0), axis)
    area = 0.5 * sides * radius**2 * np.sin(2.0 * np.pi / sides)
    assert volume(triangles) == pytest.approx(area * height)


def test_tubes_prisms_and_panels_face_outwards():
    tube = shapes.tube([(0, 0, 0), (0, 0, 1), (0.2, 0, 2)], [0.3, 0.4, 0.2], 16)
    assert closed(tube)
    assert volume(tube) > 0.5
    flat = [(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)]
    assert volume(shapes.prism(flat, -1.0, 1.0)) == pytest.approx(6.0)
    assert volume(shapes.prism(flat[::-1], -1.0, 1.0)) == pytest.approx(6.0)
    assert volume(shapes.side_panel(flat, 0.0, 0.5)) == pytest.approx(1.5)
    assert volume(shapes.mirrored(shapes.side_panel(flat, 0.0, 0.5))) == pytest.approx(1.5)


def test_a_tube_along_its_side_hint_stays_finite():
    assert np.isfinite(shapes.tube([(0, 0, 0), (0, 1, 0), (0, 2, 0)], [0.1, 0.1, 0.1])).all()


def test_meshes_are_flipped_into_carla_frame_and_keep_facing_outwards():
    builder = MeshBuilder(Tag.STATIC)
    builder.add(shapes.box((1.0, 2.0, 3.0), (2.0, 2.0, 2.0)), MATT, (10, 20, 30))
    (mesh,) = builder.meshes()
    assert mesh.vertices[:, 1].mean() == pytest.approx(-2.0)
    corners = flip_y(mesh.vertices)[mesh.triangles]
    assert volume(corners) == pytest.approx(8.0, rel=1e-5)
    outward = mesh.vertices - np.array([1.0, -2.0, 3.0])
    assert (np.einsum("vi,vi->v", mesh.normals, outward) > 0.9).all()
    assert (mesh.colors == (10, 20, 30)).all()
    box = builder.box()
    assert box.center == pytest.approx((1.0, -2.0, 3.0))
    assert box.extent == pytest.approx((1.0, 1.0, 1.0))


def test_smooth_normals_of_a_sphere_point_along_its_radius():
    builder = MeshBuilder(Tag.STATIC)
    builder.add(shapes.ellipsoid((0, 0, 0), (2, 2, 2), 24, 16), MATT, crease_deg=60.0)
    (mesh,) = builder.meshes()
    radius = mesh.vertices / np.linalg.norm(mesh.vertices, axis=1, keepdims=True)
    assert (np.einsum("vi,vi->v", mesh.normals, radius) > 0.995).all()
    # Smoothing merges corners: about one vertex per ring point instead of six.
    assert len(mesh.vertices) < 24 * 17 + 2


def test_creases_stay_sharp_and_colours_split_vertices_not_shading():
    cube = shapes.box((0, 0, 0), (2, 2, 2))
    builder = MeshBuilder(Tag.STATIC)
    builder.add(cube, MATT, crease_deg=40.0)
    (mesh,) = builder.meshes()
    assert len(mesh.vertices) == 24
    sphere = shapes.ellipsoid((0, 0, 0), (1, 1, 1), 12, 8)
    colored = MeshBuilder(Tag.STATIC)
    colored.add(sphere, MATT, np.where(sphere.mean(axis=1)[:, 2:] > 0, 200.0, 40.0) * np.ones(3), crease_deg=60.0)
    (mesh,) = colored.meshes()
    rim = np.abs(mesh.vertices[:, 2]) < 1e-4
    assert np.abs(mesh.normals[rim, 2]).max() < 0.05


def test_joints_keep_surfaces_in_place():
    builder = MeshBuilder(Tag.STATIC)
    builder.joint("arm", (1.0, 2.0, 3.0))
    builder.joint("hand", (1.0, 2.0, 2.0), "arm")
    builder.add(shapes.box((1.0, 2.0, 1.5), (0.2, 0.2, 1.0)), MATT, joint="hand")
    (mesh,) = builder.meshes()
    arm, hand = builder.joints
    assert arm.rest[:3, 3] == pytest.approx((1.0, -2.0, 3.0))
    assert hand.rest[:3, 3] == pytest.approx((0.0, 0.0, -1.0))
    assert mesh.vertices.min(axis=0) == pytest.approx((-0.1, -0.1, -1.0))


def test_fit_is_exact_and_takes_joints_along():
    builder = MeshBuilder(Tag.STATIC)
    builder.joint("arm", (0.0, 1.0, 1.0))
    builder.add(shapes.box((0, 0, 1), (2, 2, 2)), MATT, joint="arm")
    builder.fit((-2, -1, 0), (2, 1, 4))
    low, high = builder.bounds()
    assert np.allclose(low, (-2, -1, 0))
    assert np.allclose(high, (2, 1, 4))
    assert builder.joints[0].rest[:3, 3] == pytest.approx((0.0, -1.0, 2.0))
