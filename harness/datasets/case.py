"""A case: what a container gets to see of one person, and nothing of the reference."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Volume(BaseModel):
    """One image file of a case.

    Attributes
    ----------
    path
        Where it lies, relative to the data folder.
    bytes, modified_ns
        By which a change is noticed without reading the file.
    sha256
        Of the file as it is on disk.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    bytes: int
    modified_ns: int
    sha256: str


class Case(BaseModel):
    """One case of one task.

    Attributes
    ----------
    id
        Its name in the data folder; a container never learns it.
    volumes
        Its input volumes by input name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    volumes: dict[str, Volume]
