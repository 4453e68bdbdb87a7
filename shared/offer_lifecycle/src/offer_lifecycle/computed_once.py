"""What is computed of a value at its first use, and kept with it.

`functools.cached_property` does the same, but takes a lock on Python 3.11, which costs more than most of
what the kernel computes.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

SubjectT = TypeVar("SubjectT")
FoundT = TypeVar("FoundT")


class computed_once(Generic[SubjectT, FoundT]):  # noqa: N801 - a decorator, as `property` is one
    """Decorator of a method without parameters, which becomes an attribute, or of a function of one value.

    The value needs a `__dict__` (of a struct: `dict=True`). An exception is kept by nobody.
    """

    def __init__(self, compute: Callable[[SubjectT], FoundT]) -> None:
        """Take what computes it."""
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, subject: None, owner: Any) -> "computed_once[SubjectT, FoundT]": ...  # noqa: ANN401
    @overload
    def __get__(self, subject: SubjectT, owner: Any) -> FoundT: ...  # noqa: ANN401
    def __get__(
        self,
        subject: SubjectT | None,
        owner: Any,
    ) -> "FoundT | computed_once[SubjectT, FoundT]":
        """Return what a method computes; after the first time Python finds it in the `__dict__` itself."""
        if subject is None:
            return self
        found = subject.__dict__[self._name] = self._compute(subject)
        return found

    def __call__(self, subject: SubjectT) -> FoundT:
        """Return what a function computes of the value."""
        known: dict[str, FoundT] = subject.__dict__
        if self._name not in known:
            known[self._name] = self._compute(subject)
        return known[self._name]
