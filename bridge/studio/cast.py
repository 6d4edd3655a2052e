"""The actors of a stage: spawned when first needed, kept waiting far away, used again by scenes that need the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import carla

from bridge.studio.scenes import Pose, StillActor, StudioError

KEEP_ACTORS = 48
"""Actors kept for the next scenes; the longest unused go first."""
WAITING = Pose(-3000.0, -3000.0, 0.0)
WAITING_STEP_M, WAITING_COLUMNS = 40.0, 20
ID_MASK = 0x7FFF
"""Instance images know this much of an actor's id."""

Key = tuple[str, tuple[tuple[str, str], ...], float]


@dataclass(eq=False)
class Member:
    """An actor in the simulator.

    Attributes:
        id: of the actor. key: what it looks like. place: number of its waiting place.
    """

    id: int
    key: Key
    place: int

    @property
    def instance(self) -> int:
        """Its value in instance images."""
        return self.id & ID_MASK


class Cast:
    """Who can be on stage.

    Args:
        client: of the simulator.
        library: its blueprints.
        reserved: instance values of actors that are none of ours (lights, signs).
    """

    def __init__(self, client: carla.Client, library: carla.BlueprintLibrary, reserved: Iterable[int]) -> None:
        self._client, self._library = client, library
        self._reserved = frozenset(reserved) | {0}
        self._blueprints: dict[Key, carla.ActorBlueprint] = {}
        self._members: OrderedDict[int, Member] = OrderedDict()  # the longest unused first
        self._on_stage: list[Member] = []
        self._places: list[int] = []
        self._next_place = 0

    def enter(self, actors: Iterable[StillActor], others: list[Any]) -> list[Member]:
        """Put these actors, and nobody else, on stage, in one batch.

        Args:
            actors: who, and where.
            others: further commands for the batch.

        Returns:
            The members that play the actors, in their order.

        Raises:
            StudioError: a blueprint or attribute does not exist, or the simulator refuses a command.
        """
        actors = list(actors)
        chosen = self._choose(actors)
        commands, spawning = list(others), []
        playing = {member.id for member in chosen if member is not None}
        # A refused command leaves actors anywhere; from now on all of these count as on stage.
        commands += [_send(m, _waiting(m.place)) for m in self._on_stage if m.id not in playing]
        commands += self._dismiss(len(actors), playing)
        for number, (actor, member) in enumerate(zip(actors, chosen)):
            if member is not None:
                commands += _put(member.id, actor)
            else:
                spawning.append((len(commands), number, self._take_place()))
                commands.append(self._spawn(actor, spawning[-1][2]))
        self._on_stage = [member for member in chosen if member is not None]
        answers = self._client.apply_batch_sync(commands, False)
        failed = [answer.error for answer in answers if answer.error]
        for at, number, place in spawning:
            if not answers[at].error:
                chosen[number] = self._register(answers[at].actor_id, actors[number], place)
        if failed:
            raise StudioError(f"the simulator refused: {failed[0]}")
        members = [member for member in chosen if member is not None]
        if len({member.instance for member in members} - self._reserved) < len(members):
            return self._again(actors, members)
        return members

    def _again(self, actors: list[StillActor], members: list[Member]) -> list[Member]:
        """Ids have come round to one whose instance value is taken: the newest of the two is spawned again."""
        taken = set(self._reserved)
        for member in members:
            if member.instance in taken:
                self._client.apply_batch_sync([carla.command.DestroyActor(member.id)], False)
                del self._members[member.id]
                self._on_stage.remove(member)
                self._places.append(member.place)
            taken.add(member.instance)
        return self.enter(actors, [])

    def _choose(self, actors: list[StillActor]) -> list[Member | None]:
        """Return a member for each actor that looks as asked for; None where one has to be spawned."""
        free: dict[Key, list[Member]] = {}
        for member in self._members.values():
            free.setdefault(member.key, []).append(member)
        chosen = []
        for actor in actors:
            same = free.get(_key(actor))
            chosen.append(same.pop(0) if same else None)
        for known in chosen:
            if known is not None:
                self._members.move_to_end(known.id)
        return chosen

    def _dismiss(self, wanted: int, playing: set[int]) -> list[Any]:
        """Forget members beyond what is kept; return the commands that destroy them."""
        too_many = len(self._members) + wanted - len(playing) - KEEP_ACTORS
        gone = [member for member in self._members.values() if member.id not in playing][: max(too_many, 0)]
        for member in gone:
            del self._members[member.id]
            self._places.append(member.place)
        return [carla.command.DestroyActor(member.id) for member in gone]

    def _spawn(self, actor: StillActor, place: int) -> Any:
        future: Any = carla.command.FutureActor
        spawn = carla.command.SpawnActor(self._blueprint(actor), _waiting(place))
        spawn.then(carla.command.SetSimulatePhysics(future, False))
        for command in _put(future, actor):
            spawn.then(command)
        return spawn

    def _register(self, actor_id: int, actor: StillActor, place: int) -> Member:
        member = self._members[actor_id] = Member(actor_id, _key(actor), place)
        self._on_stage.append(member)
        return member

    def _take_place(self) -> int:
        if self._places:
            return self._places.pop()
        self._next_place += 1
        return self._next_place

    def _blueprint(self, actor: StillActor) -> carla.ActorBlueprint:
        key = _key(actor)
        if key not in self._blueprints:
            self._blueprints[key] = self._make_blueprint(actor)
        return self._blueprints[key]

    def _make_blueprint(self, actor: StillActor) -> carla.ActorBlueprint:
        try:
            blueprint = self._library.find(actor.blueprint)
        except IndexError as error:
            raise StudioError(f"{actor.name}: the simulator has no blueprint {actor.blueprint}") from error
        attributes = dict(actor.attributes)
        if actor.blueprint.startswith("walker."):
            attributes["gait_phase?"] = str(actor.gait_phase)
            attributes.setdefault("is_invincible", "true")
        for name, value in attributes.items():
            optional = name.endswith("?")
            name = name.rstrip("?")
            if optional and not blueprint.has_attribute(name):
                continue
            try:
                blueprint.set_attribute(name, value)
            except (IndexError, ValueError, RuntimeError) as error:
                raise StudioError(f"{actor.name}: {actor.blueprint} takes no {name}={value}: {error}") from error
        return blueprint


def _key(actor: StillActor) -> Key:
    return actor.blueprint, actor.attributes, actor.gait_phase


def _transform(pose: Pose) -> carla.Transform:
    return carla.Transform(carla.Location(pose.x, pose.y, pose.z), carla.Rotation(pose.pitch, pose.yaw, pose.roll))


def _waiting(place: int) -> carla.Transform:
    row, column = divmod(place, WAITING_COLUMNS)
    x, y = WAITING.x - row * WAITING_STEP_M, WAITING.y - column * WAITING_STEP_M
    return carla.Transform(carla.Location(x, y, WAITING.z))


def _send(member: Member, transform: carla.Transform) -> Any:
    return carla.command.ApplyTransform(member.id, transform)


def _put(who: Any, actor: StillActor) -> list[Any]:
    """Return the commands that give an actor its whole state."""
    transform = _transform(actor.pose)
    if actor.blueprint.startswith("walker."):
        return [carla.command.ApplyWalkerState(who, transform, actor.walk_speed)]
    commands: list[Any] = [carla.command.ApplyTransform(who, transform)]
    if actor.blueprint.startswith("vehicle."):
        commands.append(carla.command.SetVehicleLightState(who, carla.VehicleLightState(actor.lights)))
    return commands
