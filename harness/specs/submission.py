"""The submission spec: which image a team enters for which task."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from harness.specs.part import Line, Name, SpecPart, Switch

Word = Annotated[str, Field(min_length=1)]


class SubmittedImage(SpecPart):
    """One container image: by reference (tag or digest), or as a local ``docker save`` archive.

    ``command`` replaces the image's entry point. A plain string in YAML stands for ``image``.
    """

    image: Word | None = None
    archive: Path | None = None
    command: tuple[Word, ...] | None = Field(default=None, min_length=1)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Tell editors of the plain string too."""
        return {"anyOf": [{"type": "string", "minLength": 1}, handler.resolve_ref_schema(handler(core))]}

    @model_validator(mode="before")
    @classmethod
    def _plain_string(cls, value: Any) -> Any:
        return {"image": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_source(self) -> SubmittedImage:
        if (self.image is None) == (self.archive is None):
            raise ValueError("must hold either 'image' (a tag or digest) or 'archive' (a 'docker save' file).")
        return self


class SubmissionSpec(SpecPart):
    """What one team enters in one track. A baseline is scored and shown, and not ranked."""

    team: Name
    track: Name
    title: Line = ""
    baseline: Switch = False
    images: dict[Name, SubmittedImage] = Field(min_length=1)
    metadata: dict[str, Any] = Field(default_factory=dict)

    @property
    def display_name(self) -> str:
        """The team's title, or its name where it gave none."""
        return self.title or self.team
