"""The containers that a dead harness left on a Docker engine."""

from __future__ import annotations

from docker.client import DockerClient
from docker.models.containers import Container

from harness.engines.engine import OWNER_LABEL, RUN_LABEL, container_prefix
from harness.engines.owner import is_dead


def find(client: DockerClient, run: str | None) -> list[Container]:
    """Find all containers of one run, or those of any run whose harness is dead.

    Parameters
    ----------
    client
        The engine.
    run
        The run's id; None for all runs.
    """
    label = RUN_LABEL if run is None else f"{RUN_LABEL}={run}"
    found = client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
    return [each for each in found if _is_ours(each) and (run is not None or _is_orphan(each))]


def _is_ours(container: Container) -> bool:
    # An image can carry our label, and somebody else can run it; a name like ours it cannot give itself.
    return (container.name or "").startswith(container_prefix(container.labels[RUN_LABEL]))


def _is_orphan(container: Container) -> bool:
    return is_dead(container.labels.get(OWNER_LABEL, ""))
