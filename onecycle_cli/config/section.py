"""What all sections of a configuration have in common: keys, and the types of their values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticKnownError

from onecycle_cli.plugin_names import OWN, names_a_file


def _name_of_a_file(name: object) -> object:
    if not names_a_file(name):
        raise ValueError(f"must be {OWN}")
    return name


def one_of(names: Collection[str], unlisted: Collection[str] = ()) -> BeforeValidator:
    """Return what refuses any other name than these, as a `Literal` of them would.

    Capital letters do not matter: `Adam` is `adam`.

    Args:
        names: what is taken.
        unlisted: those of them that nobody writes by hand, so that no message names them.
    """
    *others, last = (repr(name) for name in names if name not in unlisted)
    expected = f"{', '.join(others)} or {last}"
    in_lower_case = {name.casefold(): name for name in names}

    def check(name: object) -> object:
        if not isinstance(name, str) or name.casefold() not in in_lower_case:
            raise PydanticKnownError("literal_error", {"expected": expected})
        return in_lower_case[name.casefold()]

    return BeforeValidator(check)


Auto = Literal["auto"]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Momentum = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1, lt=2**31)]
Ends = Annotated[list[NotNegative], Field(min_length=2, max_length=2)]
FunctionName = Annotated[str, BeforeValidator(_name_of_a_file)]
"""`path/to/file.py:function`; whether there is such a one, `onecycle_cli.registry` finds out."""
Steps = Annotated[int, Field(ge=12, lt=2**31)] | Auto


class Section(BaseModel):
    """Some keys of a configuration: none but these, of exactly these types, and not to change.

    Attributes:
        main_key: what a section means that is written as a single word, such as `optimizer: adam`;
            empty where that means nothing.
    """

    main_key: ClassVar[str] = ""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


Key = tuple[str | int, ...]
"""The way to a value, by keys and by positions in lists."""


def dotted(key: Key) -> str:
    """Return a key as `section.key`."""
    return ".".join(str(part) for part in key)


def leaves(data: Any, key: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Yield every value by its key; lists and empty mappings are values."""
    if isinstance(data, Mapping) and data:
        for name, inner in data.items():
            yield from leaves(inner, (*key, name))
    else:
        yield key, data


def distinct(values: list[float]) -> list[float]:
    """Return values that are all different.

    Raises:
        ValueError: when they are not.
    """
    if len(set(values)) < len(values):
        raise ValueError(f"values must be different from each other; got {values}")
    return values
