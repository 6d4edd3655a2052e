"""Scripts of sessions: read, refused, played."""

import pygame
import pytest

from bridge.drive.script import Player, key_event, parse, read
from foundation.errors import InputError


def test_a_script_is_read_in_order_of_time():
    events = parse("1.0 press TAB # next view\n\n# nothing\n0.0 hold w 2.0\n0.5 screenshot a.png\n3 quit\n")
    assert [(e.at_s, e.kind) for e in events] == [
        (0.0, "down"), (0.5, "screenshot"), (1.0, "down"), (1.0, "up"), (2.0, "up"), (3.0, "quit"),
    ]  # fmt: skip


def test_a_script_without_an_end_ends_after_its_last_event():
    assert parse("2 press w")[-1].kind == "quit"


def test_events_are_handed_out_once_and_on_time():
    player = Player(parse("0 press w\n0.1 axis 0 -0.5\n0.2 quit"))
    assert [e.kind for e in player.due(0.0)] == ["down", "up"]
    assert player.due(0.05) == []
    assert [e.kind for e in player.due(0.05 + 0.05)] == ["axis"]  # sums of steps are not exact
    assert [e.kind for e in player.due(5.0)] == ["quit"]


def test_a_key_becomes_the_event_that_a_keyboard_sends():
    event = key_event(parse("0 press shift+c")[0])
    assert (event.type, event.key) == (pygame.KEYDOWN, pygame.K_c)
    assert event.mod & pygame.KMOD_SHIFT


@pytest.mark.parametrize(
    "line",
    [
        "x press w", "1 press", "1 press nokey", "1 hold w", "1 hold w -1", "1 jump", "-1 press w",
        "1 screenshot a.jpg",
        "1 screenshot ../a.png", "1 resize 10 10", "1 axis 0 3", "1 quit now", "1", "nan press w",
    ],
)  # fmt: skip
def test_a_wrong_line_is_named_with_its_number(line):
    with pytest.raises(InputError) as caught:
        parse(f"0 press w\n{line}\n", "my.txt")
    assert str(caught.value).startswith("my.txt:2: ")
    assert "\n" not in str(caught.value)


def test_an_empty_or_missing_script_is_an_error(tmp_path):
    with pytest.raises(InputError, match="empty"):
        parse("# nothing\n")
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "none.txt")
