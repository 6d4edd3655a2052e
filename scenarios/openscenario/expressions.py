"""Expressions of OpenSCENARIO 1.1-1.3: the text between ``${`` and ``}``.

A small recursive-descent parser over numbers and booleans; nothing is ever handed to ``eval``. Operators and functions
are those of the standard's user guide ("Expressions"): unary minus, ``+ - * / %``, ``not and or``, ``round floor ceil
sqrt pow``, and since 1.2 ``abs sign max min sin cos tan asin acos atan``; comparisons are an extension several tools
share.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

Value = float | bool

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<parameter>\$[A-Za-z_][\w.]*)"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<operator><=|>=|==|!=|&&|\|\||[-+*/%(),<>!]))"
)
_MAX_DEPTH = 100

_FUNCTIONS: dict[str, tuple[int, Callable[..., float]]] = {
    "round": (1, lambda a: math.floor(a + 0.5)),
    "floor": (1, math.floor),
    "ceil": (1, math.ceil),
    "sqrt": (1, math.sqrt),
    "pow": (2, math.pow),
    "abs": (1, abs),
    "sign": (1, lambda a: math.copysign(1.0, a) if a else 0.0),
    "max": (2, max),
    "min": (2, min),
    "sin": (1, math.sin),
    "cos": (1, math.cos),
    "tan": (1, math.tan),
    "asin": (1, math.asin),
    "acos": (1, math.acos),
    "atan": (1, math.atan),
}


class ExpressionError(ValueError):
    """An expression cannot be read or has no value; the message says why."""


class _Parser:
    """One expression. Every method returns the value of what it consumed."""

    def __init__(self, text: str, lookup: Callable[[str], Value]) -> None:
        self._tokens = _tokenize(text)
        self._lookup = lookup
        self._at = 0
        self._depth = 0

    def parse(self) -> Value:
        value = self._or()
        if self._at < len(self._tokens):
            raise ExpressionError(f"unexpected {self._tokens[self._at][1]!r}")
        return value

    def _accept(self, *texts: str) -> str | None:
        if self._at < len(self._tokens) and self._tokens[self._at][1] in texts:
            self._at += 1
            return self._tokens[self._at - 1][1]
        return None

    def _or(self) -> Value:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ExpressionError(f"nested deeper than {_MAX_DEPTH} levels")
        value = self._and()
        while self._accept("or", "||"):
            right = self._and()
            value = _boolean(value) or _boolean(right)
        self._depth -= 1
        return value

    def _and(self) -> Value:
        value = self._comparison()
        while self._accept("and", "&&"):
            right = self._comparison()
            value = _boolean(value) and _boolean(right)
        return value

    def _comparison(self) -> Value:
        value = self._sum()
        operator = self._accept("<=", ">=", "==", "!=", "<", ">")
        if operator is None:
            return value
        right = self._sum()
        if operator in ("==", "!="):
            return (value == right) == (operator == "==")
        a, b = _number(value), _number(right)
        return {"<=": a <= b, ">=": a >= b, "<": a < b, ">": a > b}[operator]

    def _sum(self) -> Value:
        value = self._product()
        while operator := self._accept("+", "-"):
            right = _number(self._product())
            value = _number(value) + right if operator == "+" else _number(value) - right
        return value

    def _product(self) -> Value:
        value = self._unary()
        while operator := self._accept("*", "/", "%"):
            left, right = _number(value), _number(self._unary())
            if operator == "*":
                value = left * right
            elif right == 0.0:
                raise ExpressionError("division by zero")
            else:
                value = left / right if operator == "/" else math.fmod(left, right)
        return value

    def _unary(self) -> Value:
        negate, invert = 0, 0
        while operator := self._accept("-", "+", "not", "!"):
            negate += operator == "-"
            invert += operator in ("not", "!")
        value = self._atom()
        if negate % 2:
            value = -_number(value)
        return not _boolean(value) if invert % 2 else value

    def _atom(self) -> Value:
        if self._at >= len(self._tokens):
            raise ExpressionError("ends too early")
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            return float(text)
        if kind == "parameter":
            return self._lookup(text[1:])
        if kind == "word":
            return self._word(text)
        if text == "(":
            value = self._or()
            if not self._accept(")"):
                raise ExpressionError("a closing bracket is missing")
            return value
        raise ExpressionError(f"unexpected {text!r}")

    def _word(self, word: str) -> Value:
        if word in ("true", "false"):
            return word == "true"
        if word.lower() == "pi":  # not in the standard, and in published scenarios
            return math.pi
        if word not in _FUNCTIONS:
            raise ExpressionError(f"unknown word {word!r}")
        count, function = _FUNCTIONS[word]
        if not self._accept("("):
            raise ExpressionError(f"{word} needs brackets")
        arguments = [_number(self._or())]
        while self._accept(","):
            arguments.append(_number(self._or()))
        if not self._accept(")"):
            raise ExpressionError("a closing bracket is missing")
        if len(arguments) != count:
            raise ExpressionError(f"{word} takes {count} arguments, {len(arguments)} given")
        return float(function(*arguments))


def _tokenize(text: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ExpressionError(f"unexpected {text[at:].strip()[:10]!r}")
        tokens.append((str(match.lastgroup), match.group().strip()))
        at = match.end()
    return tokens


def _number(value: Value) -> float:
    if isinstance(value, bool):
        raise ExpressionError(f"a number is needed, not {str(value).lower()}")
    return value


def _boolean(value: Value) -> bool:
    if not isinstance(value, bool):
        raise ExpressionError(f"true or false is needed, not {value:g}")
    return value


def evaluate(text: str, lookup: Callable[[str], Value]) -> Value:
    """Return the value of an expression, without its ``${`` and ``}``.

    Args:
        text: the expression.
        lookup: gives the value of a parameter by its name without ``$``; may raise :class:`ExpressionError`.

    Raises:
        ExpressionError: it is no expression, or it has no finite value.
    """
    try:
        value = _Parser(text, lookup).parse()
    except (ValueError, OverflowError, RecursionError) as error:
        if isinstance(error, ExpressionError):
            raise
        raise ExpressionError(str(error)) from error
    if not isinstance(value, bool) and not math.isfinite(value):
        raise ExpressionError("has no finite value")
    return value


def text_of(value: Value) -> str:
    """Return a value as an attribute would spell it: ``true``, ``3``, ``2.5``, ``INF``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "INF" if value > 0.0 else "-INF"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
