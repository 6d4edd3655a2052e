"""Parameters: declarations with types and constraints, and the scopes in which ``$name`` is looked up.

Parameters are fixed before a run. A scope is one element's declarations on top of those around it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from scenarios.openscenario.errors import ConstraintError
from scenarios.openscenario.expressions import ExpressionError, Value

if TYPE_CHECKING:
    from scenarios.openscenario.nodes import Node

logger = logging.getLogger(__name__)

# "integer" is 1.0's name of "int".
TYPES = ("boolean", "dateTime", "double", "int", "integer", "string", "unsignedInt", "unsignedShort")
NUMERIC = ("double", "int", "integer", "unsignedInt", "unsignedShort")
RULES = ("equalTo", "greaterThan", "lessThan", "greaterOrEqual", "lessOrEqual", "notEqualTo")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter or variable and its value as text."""

    name: str
    type: str
    text: str

    @property
    def value(self) -> Value:
        """The value for expressions; ExpressionError for text that is neither number nor truth value."""
        if self.type == "boolean" or (self.type == "string" and self.text in ("true", "false")):
            return self.text in ("true", "1")
        try:
            return float(self.text)
        except ValueError:
            raise ExpressionError(f"parameter {self.name} is text ({self.text!r}), not a number") from None


@dataclass(slots=True)
class Scope:
    """Parameters in force at some element; what is not found here is looked up further out."""

    parameters: dict[str, Parameter] = field(default_factory=dict)
    outer: Scope | None = None

    def find(self, name: str) -> Parameter:
        """Return a parameter by name; ExpressionError when nobody declared it."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.parameters:
                return scope.parameters[name]
            scope = scope.outer
        raise ExpressionError(f"parameter {name} is not declared")

    def text(self, name: str) -> str:
        """Return a parameter's value as text."""
        return self.find(name).text

    def value(self, name: str) -> Value:
        """Return a parameter's value for expressions."""
        return self.find(name).value


def type_problem(kind: str, text: str) -> str | None:
    """Return what is wrong with ``text`` as a value of a parameter type, None when it is fine."""
    try:
        if kind == "boolean" and text not in ("true", "false", "1", "0"):
            return "is neither true nor false"
        if kind == "double":
            float("inf" if text in ("INF", "+INF") else text)
        elif kind == "dateTime":
            parse_datetime(text)
        elif kind in NUMERIC:
            number = float(text)
            if number != int(number):
                return "is not a whole number"
            limit = {"unsignedInt": 2**32, "unsignedShort": 2**16}.get(kind)
            if limit is not None and not 0 <= number < limit:
                return f"does not fit into {kind}"
    except (ValueError, OverflowError):
        return f"is not a {kind}"
    return None


def parse_datetime(text: str) -> datetime:
    """Return an xsd:dateTime. Python 3.10 reads neither ``Z`` nor odd numbers of decimals, so both are normalised."""
    head, dot, rest = text.strip().replace("Z", "+00:00").partition(".")
    if dot:
        digits = len(rest) - len(rest.lstrip("0123456789"))
        head += "." + rest[:digits][:6].ljust(6, "0") + rest[digits:]
    if len(head) > 5 and head[-5] in "+-" and head[-3] != ":":
        head = head[:-2] + ":" + head[-2:]
    return datetime.fromisoformat(head)


def compare(rule: str, left: float | str | datetime, right: float | str | datetime, tolerance: float = 1e-6) -> bool:
    """Apply a rule of the standard.

    Numbers are equal within ``tolerance``, because times and positions are sums of rounded steps. Equal is neither
    greater nor less: of the three always exactly one is true, and a limit met exactly does not fire by rounding.
    """
    if isinstance(left, float) and isinstance(right, float):
        equal = abs(left - right) <= tolerance or left == right
    else:
        equal = left == right
    if rule in ("equalTo", "notEqualTo"):
        return equal == (rule == "equalTo")
    if equal:
        return rule in ("greaterOrEqual", "lessOrEqual")
    larger = left > right  # type: ignore[operator]
    return bool(larger if rule in ("greaterThan", "greaterOrEqual") else not larger)


def compare_texts(rule: str, kind: str, left: str, right: str) -> bool:
    """Compare two values of a parameter type given as text; ValueError when one has the wrong type."""
    if kind == "dateTime":
        return compare(rule, parse_datetime(left), parse_datetime(right))
    if kind == "boolean":
        return compare(rule, str(left in ("true", "1")), str(right in ("true", "1")))
    if kind == "string":
        try:
            return compare(rule, float(left), float(right))
        except ValueError:
            return compare(rule, left, right)
    return compare(rule, float(left), float(right), tolerance=0.0)


def read_declarations(
    parent: Node,
    outer: Scope | None,
    given: Mapping[str, str],
    tag: str = "ParameterDeclarations",
    *,
    lenient: bool = False,
) -> Scope:
    """Read the ``ParameterDeclarations`` child of ``parent`` into a new scope.

    Declarations are evaluated in document order, so later ones may build on earlier ones.

    Args:
        parent: the declaring element.
        outer: the scope around it.
        given: values that replace the declared ones (of a user, a distribution or a catalog reference).
        tag: name of the child element.
        lenient: take a value that is not of the declared type as text, and given names that are not declared as not
            given (both with a warning): catalogs in use contain such, and belong to somebody else.

    Raises:
        OpenScenarioError: a value has the wrong type, breaks its constraints, or a given name is not declared.
    """
    scope = Scope({}, outer)
    node = parent.maybe(tag)
    for declaration in node.many("ParameterDeclaration") if node is not None else []:
        declaration.with_scope(scope)
        # A reference's $ in front of a declared name, which files in use contain, is no part of the name.
        name = str(declaration.raw("name")).removeprefix("$")
        kind = declaration.choice("parameterType", TYPES)
        written = declaration.raw("value")
        text = given[name] if name in given else declaration.resolve(str(written), "value")
        if kind in NUMERIC and name not in given:
            text = text.strip()
        if problem := type_problem(kind, text):
            if not lenient:
                raise declaration.error(f"parameter {name}: value {text!r} {problem}")
            # Catalogs in use declare words as doubles; whoever needs a number of this one is refused where he asks.
            logger.warning(
                "%s:%d: parameter %s: value %r %s, taken as text",
                declaration.file, declaration.line, name, text, problem,
            )  # fmt: skip
            kind = "string"
        if name in scope.parameters and scope.parameters[name].text != text:
            logger.warning(
                "%s:%d: parameter %s is declared twice; the later value %r holds",
                declaration.file, declaration.line, name, text,
            )  # fmt: skip
        _check_constraints(declaration, name, kind, text)
        scope.parameters[name] = Parameter(name, kind, text)
    unknown = sorted(set(given) - set(scope.parameters))
    for name in unknown if lenient else ():
        logger.warning(
            "%s:%d: parameter %s is not declared, its assignment has no effect", parent.file, parent.line, name
        )
    if unknown and not lenient:
        declared = ", ".join(sorted(scope.parameters)) or "none"
        raise (node or parent).error(f"parameter {unknown[0]} is not declared here", remedy=f"declared: {declared}")
    return scope


def _check_constraints(declaration: Node, name: str, kind: str, text: str) -> None:
    """Refuse a value that satisfies none of the constraint groups (groups are alternatives, members all hold)."""
    groups = declaration.many("ConstraintGroup")
    held, wanted = [], []
    for group in groups:
        rules = [(c.choice("rule", RULES), c.text("value")) for c in group.many("ValueConstraint")]
        try:
            held.append(all(compare_texts(rule, kind, text, value) for rule, value in rules))
        except ValueError:
            raise group.error(f"constraint of parameter {name} is not of type {kind}") from None
        wanted.append(" and ".join(f"{rule} {value}" for rule, value in rules))
    if groups and not any(held):
        raise ConstraintError(
            f"parameter {name}={text} breaks its constraint: {' or '.join(wanted)}",
            file=declaration.file, line=declaration.line, element=declaration.tag,
        )  # fmt: skip


def read_variables(parent: Node) -> dict[str, Parameter]:
    """Read ``VariableDeclarations``: values that actions change while the scenario runs."""
    variables: dict[str, Parameter] = {}
    node = parent.maybe("VariableDeclarations")
    for declaration in node.many("VariableDeclaration") if node is not None else []:
        name, kind, text = (
            declaration.text("name"),
            declaration.choice("variableType", TYPES),
            declaration.text("value"),
        )
        if problem := type_problem(kind, text):
            raise declaration.error(f"variable {name}: value {text!r} {problem}")
        if name in variables:
            raise declaration.error(f"variable {name} is declared twice")
        variables[name] = Parameter(name, kind, text)
    return variables
