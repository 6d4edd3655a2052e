"""The tables of docs/carla-api.md hold: against the installed client's library, the code and a running engine."""

from __future__ import annotations

import carla
import pytest
from engine_process import engine

from engine.server.registry import METHODS
from tools.api import __main__ as command
from tools.api.classes import EXPECTED, findings
from tools.api.library import UnknownClient, client_methods, library_path, library_procedures, procedures_of
from tools.api.rpcs import undocumented
from tools.api.run import PROGRAMS, Run
from tools.api.touch import OK, Recorder, all_members


class TestProcedures:
    @pytest.fixture(scope="class")
    def sent(self):
        try:
            return library_procedures()
        except UnknownClient as error:
            if "ELF" in str(error) or "symbols" in str(error):
                pytest.skip(str(error))
            raise

    def test_every_procedure_of_the_client_is_in_the_table_and_no_other(self, sent):
        assert sent - set(METHODS) == set()
        assert set(METHODS) - sent == set()
        assert len(sent) == 128

    def test_a_method_the_list_does_not_know_would_be_noticed(self, sent):
        methods = client_methods(library_path())
        assert "GetBonesTransform" in methods
        assert procedures_of("GetActorBoneNames") == ("get_actor_bone_names",)
        # A procedure that CARLA might add later is derived from its method's name, and missing in our table.
        assert procedures_of("PaintActor") == ("paint_actor",)
        assert "paint_actor" not in METHODS

    def test_each_says_what_it_does_or_why_it_refuses(self):
        assert undocumented() == []

    def test_the_page_is_up_to_date(self):
        assert command.PAGE.read_text(encoding="utf-8") == command.page(), "python -m tools.api --write"


def test_the_recorder_notes_what_is_used_and_leaves_no_trace():
    before = vars(carla.Vector3D)["length"]
    recorder = Recorder()
    with recorder:
        carla.Vector3D(3.0, 4.0, 0.0).length()
        with pytest.raises(Exception, match="did not match"):
            carla.Vector3D().cross(1)
    assert vars(carla.Vector3D)["length"] is before
    assert recorder.outcomes["Vector3D.length"] == OK
    assert "did not match" in recorder.outcomes["Vector3D.cross"]
    assert "Vector3D.dot was not used" in findings(recorder.outcomes)
    assert any(line.startswith("Vector3D.cross raised") for line in findings(recorder.outcomes))
    assert set(EXPECTED) <= set(all_members())


class TestClasses:
    @pytest.fixture(scope="class")
    def recorder(self):
        return Recorder()

    @pytest.fixture(scope="class")
    def run(self, recorder, tmp_path_factory):
        with engine("--map", "RealityTown") as server, recorder:
            yield Run(server.port, tmp_path_factory.mktemp("api"), recorder)
            assert "Traceback" not in server.log_text()

    @pytest.mark.slow
    @pytest.mark.parametrize("name", PROGRAMS)
    def test_program(self, run, name):
        PROGRAMS[name](run)
        run.settle()

    @pytest.mark.slow
    def test_every_member_of_every_class_was_used(self, run, recorder, request):
        if len([item for item in request.session.items if "TestClasses::test_program" in item.nodeid]) < len(PROGRAMS):
            pytest.skip("only together with all programs")
        assert findings(recorder.outcomes) == []
