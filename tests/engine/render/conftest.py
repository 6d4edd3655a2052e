"""One renderer at a time; tests are skipped where there is no OpenGL at all."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from engine.render import Renderer, RenderError
from engine.render.context import shared_context


@pytest.fixture(scope="session", autouse=True)
def _opengl():
    try:
        shared_context()
    except RenderError as error:
        pytest.skip(str(error))


@pytest.fixture
def renderer_of():
    """Return a factory of renderers that are closed after the test."""
    made = []

    def make(static, **options):
        made.append(Renderer(static, **options))
        return made[-1]

    yield make
    for renderer in made:
        renderer.close()
