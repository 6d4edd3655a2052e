import pytest

from learning.loop import jobs, trainer


@pytest.fixture(scope="module", autouse=True)
def _trains_in_this_process():
    """Starting Python and torch for every training takes longer than the training; tests of that ask for it."""
    patch = pytest.MonkeyPatch()
    patch.setattr(jobs, "run_trainer", trainer.main)
    yield
    patch.undo()
