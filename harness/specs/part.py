"""The base of everything that is read from a YAML file."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from harness.errors import nearest

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""Names that become folders and labels: they can be neither hidden, nor climb, nor carry a separator."""

FLAG_PATTERN = r"^--[A-Za-z0-9][A-Za-z0-9_-]*$"
VOLUME_FILE_PATTERN = r"\.nii(\.gz)?$"
LINE_PATTERN = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"

PATTERNS: dict[str, str] = {
    NAME_PATTERN: "at most 64 letters, digits, '.', '_' and '-', beginning with a letter or digit",
    FLAG_PATTERN: "a flag, as in '--flair'",
    VOLUME_FILE_PATTERN: "a name that ends in .nii or .nii.gz",
    LINE_PATTERN: "one line of text without control characters",
}
"""What each pattern asks for, in words."""

# Strict: YAML 1.1 reads a bare yes as true, and true would pass as 1.
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Line = Annotated[str, Field(pattern=LINE_PATTERN)]
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(strict=True, gt=0, lt=1)]
Whole = Annotated[int, Field(strict=True)]
Switch = Annotated[bool, Field(strict=True)]


class SpecPart(BaseModel):
    """A frozen piece of a spec that refuses keys it does not know and suggests the one that was meant."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, value: Any) -> Any:
        if isinstance(value, dict):
            for key in value:
                if key not in cls.model_fields:
                    raise PydanticCustomError(
                        "unknown_key",
                        "has the unknown key '{key}'. {suggestion}",
                        {"key": str(key), "suggestion": nearest(str(key), cls.model_fields)},
                    )
        return value
