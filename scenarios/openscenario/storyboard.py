"""The storyboard as written: init, stories, acts, maneuver groups, maneuvers, events, actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.openscenario.actions import GlobalAction, PrivateAction, read_global, read_private
from scenarios.openscenario.actions.user_defined import Nothing, read_user_defined
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.triggers import Trigger, read_trigger

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader

PRIORITIES = ("override", "overwrite", "skip", "parallel")


@dataclass(frozen=True, slots=True)
class Action:
    """``Action``: private (on the group's actors) or global, and where it stands in the file."""

    name: str
    private: PrivateAction | None
    globally: GlobalAction | None
    place: Node


@dataclass(frozen=True, slots=True)
class Event:
    """``Event``. A start trigger of None (1.3) means: with the maneuver."""

    name: str
    priority: str
    maximum: int
    actions: tuple[Action, ...]
    start: Trigger | None


@dataclass(frozen=True, slots=True)
class Maneuver:
    """``Maneuver``."""

    name: str
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class ManeuverGroup:
    """``ManeuverGroup``."""

    name: str
    maximum: int
    actors: tuple[str, ...]
    select_triggering: bool
    maneuvers: tuple[Maneuver, ...]


@dataclass(frozen=True, slots=True)
class Act:
    """``Act``."""

    name: str
    groups: tuple[ManeuverGroup, ...]
    start: Trigger | None
    stop: Trigger | None


@dataclass(frozen=True, slots=True)
class Story:
    """``Story``."""

    name: str
    acts: tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class InitAction:
    """One action of Init: for an entity, or on the world."""

    entity: str | None
    tag: str
    private: PrivateAction | None
    globally: GlobalAction | None
    place: Node


@dataclass(frozen=True, slots=True)
class Storyboard:
    """``Storyboard``."""

    init: tuple[InitAction, ...]
    stories: tuple[Story, ...]
    stop: Trigger | None


def read_storyboard(node: Node, reader: Reader) -> Storyboard:
    """Read ``Storyboard``."""
    init = _read_init(node.one("Init"), reader)
    stories = tuple(_read_story(story, reader) for story in node.many("Story"))
    with reader.reading_storyboard_stop():
        stop = read_trigger(node.maybe("StopTrigger"), reader)
    return Storyboard(init, stories, stop)


def _read_init(node: Node, reader: Reader) -> tuple[InitAction, ...]:
    actions = []
    container = node.maybe("Actions")
    for child in container.children() if container is not None else []:
        if child.tag == "GlobalAction":
            tag = child.only().tag
            actions.append(InitAction(None, tag, None, read_global(child, reader), child))
        elif child.tag == "Private":
            names = reader.entity_or_selection(child)
            for item in child.many("PrivateAction"):
                action, tag = read_private(item, reader), item.only().tag
                actions += [InitAction(name, tag, action, None, item) for name in names]
        elif child.tag == "UserDefinedAction":
            actions.append(InitAction(None, child.tag, None, read_user_defined(child, reader), child))
        else:
            raise child.error("this kind of action is not supported in Init")
    return tuple(actions)


def _unique(items: list[Node], what: str, reader: Reader) -> None:
    """Note siblings of one name, which the standard forbids: a reference to that name means all of them."""
    names: set[str] = set()
    for item in items:
        name = item.label("name")
        if name in names:
            reader.note(item, f"two {what} here are called {name!r}; a reference to it means both")
        names.add(name)


def _read_story(node: Node, reader: Reader) -> Story:
    name = node.label("name")
    reader.declare(node)
    acts = node.many("Act")
    _unique(acts, "acts", reader)
    with reader.inside(name):
        return Story(name, tuple(_read_act(act, reader) for act in acts))


def _read_act(node: Node, reader: Reader) -> Act:
    name = node.label("name")
    groups = node.many("ManeuverGroup")
    if not groups:
        raise node.error("an act needs maneuver groups")
    _unique(groups, "maneuver groups", reader)
    with reader.inside(name):
        return Act(
            name,
            tuple(_read_group(group, reader) for group in groups),
            read_trigger(node.maybe("StartTrigger"), reader),
            read_trigger(node.maybe("StopTrigger"), reader),
        )


def _read_group(node: Node, reader: Reader) -> ManeuverGroup:
    name = node.label("name")
    actors = node.one("Actors")
    names = tuple(e for ref in actors.many("EntityRef") for e in reader.entity_or_selection(ref))
    with reader.inside(name):
        maneuvers = [_read_maneuver(reader.declare(m), reader) for m in node.many("Maneuver")]
        for reference in node.many("CatalogReference"):
            maneuvers.append(_read_maneuver(reader.catalogs.open(reference, "Maneuver"), reader))
    return ManeuverGroup(
        name,
        node.integer("maximumExecutionCount", minimum=1),
        names,
        actors.boolean("selectTriggeringEntities"),
        tuple(maneuvers),
    )


def _read_maneuver(node: Node, reader: Reader) -> Maneuver:
    name = node.label("name")
    events = node.many("Event")
    _unique(events, "events", reader)
    with reader.inside(name):
        return Maneuver(name, tuple(_read_event(event, reader) for event in events))


def _read_event(node: Node, reader: Reader) -> Event:
    name = node.label("name")
    actions = node.many("Action")
    if not actions:
        raise node.error("an event needs actions")
    _unique(actions, "actions", reader)
    priority = node.choice("priority", PRIORITIES)
    with reader.inside(name):
        return Event(
            name,
            "override" if priority == "overwrite" else priority,  # overwrite is 1.0's and 1.1's name
            node.integer("maximumExecutionCount", 1, minimum=1),
            tuple(_read_action(action, reader) for action in actions),
            read_trigger(node.maybe("StartTrigger"), reader),
        )


def _read_action(node: Node, reader: Reader) -> Action:
    name = node.label("name")
    if not node.children():
        reader.note(node, "holds nothing, so it does nothing")
        return Action(name, None, Nothing(), node)
    child = node.only()
    if child.tag == "UserDefinedAction":
        return Action(name, None, read_user_defined(child, reader), node)
    if child.tag == "PrivateAction":
        return Action(name, read_private(child, reader), None, node)
    if child.tag == "GlobalAction":
        return Action(name, None, read_global(child, reader), node)
    raise child.error(
        "this kind of action is not supported",
        remedy="use PrivateAction, GlobalAction or UserDefinedAction",
    )
