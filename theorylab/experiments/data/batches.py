"""CIFAR-10's "python version": pickled batches, read by an interpreter that builds data only.

A pickle is a program. This one is taken apart by the standard library's disassembler and run by
a closed list of instructions: numbers, texts, lists, dicts with text keys, and one kind of array.
No name is imported and nothing is called.
"""

from __future__ import annotations

import pickletools
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from theorylab.experiments.data.formats import Raw, read_whole
from theorylab.outcome import InputError

_LIMIT = 1 << 28  # bytes: a batch has 31 million
_REMEDY = "use CIFAR-10's own files, or write an .npz by numpy.savez"
_NAMES = {
    "_codecs encode": "encode",
    "numpy ndarray": "ndarray",
    "numpy dtype": "dtype",
    "numpy.core.multiarray _reconstruct": "array",
    "numpy._core.multiarray _reconstruct": "array",
}
_NOTHING = {"PROTO", "FRAME"}
_PUSHED = {"BININT", "BININT1", "BININT2", "BINUNICODE", "SHORT_BINUNICODE", "BINBYTES",
           "SHORT_BINBYTES"}  # fmt: skip
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class _Refused(Exception):
    """Why the program is not run any further."""


@dataclass(frozen=True, slots=True)
class _Name:
    """A global name of the closed list; it stands for itself and cannot be called."""

    name: str


@dataclass(slots=True)
class _Array:
    """An array of bytes to be: BUILD gives it its shape and its data."""

    shape: tuple[int, ...] = ()
    fortran: bool = False
    data: bytes = b""


@dataclass(slots=True)
class _Dtype:
    """The one type of number there is, unsigned bytes; BUILD has nothing to add."""


def read_batch(path: Path) -> tuple[Raw, Raw]:
    """Pixels (n x 3072) and labels (n) of one pickled batch, protocols 2 to 4.

    Guarantees: exact; nothing of the file is executed or imported. Raises InputError for every
    instruction, name or value outside the closed list, and for a truncated file.
    """
    raw = read_whole(path, _LIMIT)
    try:
        content = _Machine(len(raw)).run(raw)
        if not isinstance(content, dict):
            raise _Refused("it holds no dict")
        named = {k.decode("latin-1") if isinstance(k, bytes) else k: content[k] for k in content}
        pixels, labels = named.get("data"), named.get("labels")
        if not isinstance(pixels, _Array):
            raise _Refused('it has no array of bytes under "data"')
        if not isinstance(labels, list) or not all(type(v) is int for v in labels):
            raise _Refused('it has no list of numbers under "labels"')
        return _filled(pixels), np.array(labels, dtype=np.int64)
    except _Refused as error:
        rule = f"this is no batch of CIFAR-10 ({error})"
        raise InputError("path", str(path), rule, _REMEDY) from None


def _filled(array: _Array) -> Raw:
    if len(array.shape) != 2 or prod(array.shape) != len(array.data):
        raise _Refused(f"its array has {len(array.data)} bytes for the shape {array.shape}")
    rows, row = array.shape
    return np.frombuffer(array.data, np.uint8).reshape(
        (rows, row), order="F" if array.fortran else "C"
    )


class _Machine:
    """A stack, its marks and a memo. ``length`` bounds what ``encode`` may make in all."""

    def __init__(self, length: int) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.left = length

    def run(self, raw: bytes) -> object:
        """The value that the program leaves. _Refused for anything out of the ordinary."""
        try:
            for opcode, argument, _ in pickletools.genops(raw):
                if opcode.name == "STOP":
                    break
                self.step(opcode.name, argument)
        except ValueError as error:
            raise _Refused(str(error).splitlines()[0]) from None
        return self.pop()

    def step(self, name: str, argument: Any) -> None:
        """One instruction."""
        push = self.stack.append
        if name in _NOTHING:
            pass
        elif name in _PUSHED:
            push(argument)
        elif name in _CONSTANTS:
            push(_CONSTANTS[name])
        elif name in ("BINSTRING", "SHORT_BINSTRING"):  # the byte strings of Python 2
            push(argument.encode("latin-1"))
        elif name in _TUPLES:
            push(tuple(self.popped(_TUPLES[name])))
        elif name == "TUPLE":
            push(tuple(self.since_mark()))
        elif name == "EMPTY_LIST":
            push([])
        elif name == "EMPTY_DICT":
            push({})
        elif name == "MARK":
            self.marks.append(len(self.stack))
        elif name in ("APPEND", "APPENDS"):
            items = self.since_mark() if name == "APPENDS" else self.popped(1)
            self.top(list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            self.set_items(self.since_mark() if name == "SETITEMS" else self.popped(2))
        elif name in ("BINPUT", "LONG_BINPUT", "MEMOIZE"):
            place = len(self.memo) if name == "MEMOIZE" else argument
            self.memo[place] = self.top(object)
        elif name in ("BINGET", "LONG_BINGET"):
            if argument not in self.memo:
                raise _Refused(f"it recalls {argument}, which it never stored")
            push(self.memo[argument])
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            wanted = " ".join(map(str, self.popped(2))) if name == "STACK_GLOBAL" else argument
            if wanted not in _NAMES:
                raise _Refused(f"it asks for {wanted}")
            push(_Name(_NAMES[wanted]))
        elif name == "REDUCE":
            called, arguments = self.popped(2)
            push(self.reduced(called, arguments))
        elif name == "BUILD":
            self.build(self.pop())
        else:
            raise _Refused(f"it has the instruction {name}")

    def pop(self) -> Any:
        """The value on top, taken off."""
        return self.popped(1)[0]

    def popped(self, count: int) -> list[Any]:
        """The last ``count`` values, taken off; none from below a mark."""
        floor = len(self.stack) - count
        if floor < (self.marks[-1] if self.marks else 0):
            raise _Refused("its stack runs empty")
        taken = self.stack[floor:]
        del self.stack[floor:]
        return taken

    def since_mark(self) -> list[Any]:
        """The values above the last mark, taken off with it."""
        if not self.marks:
            raise _Refused("its stack has no mark")
        taken = self.popped(len(self.stack) - self.marks[-1])
        self.marks.pop()
        return taken

    def top(self, kind: type[Any]) -> Any:
        """The value on top, left there, if it is of that kind."""
        value = self.pop()
        if not isinstance(value, kind):
            raise _Refused(f"an instruction for a {kind.__name__} meets something else")
        self.stack.append(value)
        return value

    def set_items(self, items: list[Any]) -> None:
        """Keys and values into the dict on top; a nested key could take for ever to hash."""
        if len(items) % 2 or not all(isinstance(key, (str, bytes)) for key in items[::2]):
            raise _Refused("a dict has a key that is no text")
        self.top(dict).update(zip(items[::2], items[1::2], strict=True))

    def reduced(self, called: object, arguments: object) -> object:
        """What the three callables of the list would have made."""
        match called, arguments:
            case _Name("encode"), (str(text), "latin1"):
                self.left -= len(text)
                if self.left < 0:  # one text, stored once and encoded a thousand times
                    raise _Refused("it makes more bytes than it has")
                return text.encode("latin-1")
            case _Name("array"), (_Name("ndarray"), (0,), b"b"):
                return _Array()
            case _Name("dtype"), (("u1" | "|u1" | b"u1" | b"|u1"), _, _):
                return _Dtype()
            case _Name("dtype"), _:
                raise _Refused("its array is not of unsigned bytes")
        raise _Refused("it calls something else than an array's parts")

    def build(self, state: object) -> None:
        """The state of the array or dtype on top."""
        match self.top(object), state:
            case _Dtype(), tuple():
                return
            case _Array() as array, (int(), tuple(shape), _Dtype(), bool(fortran), bytes(data)):
                if all(type(size) is int and size >= 0 for size in shape):
                    array.shape, array.fortran, array.data = shape, fortran, data
                    return
        raise _Refused("it fills something else than an array of bytes")
