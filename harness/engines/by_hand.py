"""A container's configuration as the ``docker run`` line that a person can type."""

from __future__ import annotations

import shlex
from typing import Any

from harness.engines.sandbox import Configuration


def docker_run(asked: Configuration) -> str:
    """Write the command that runs one container by hand, under the options that the harness runs it with.

    Parameters
    ----------
    asked
        What :func:`harness.engines.sandbox.container` returns. Its name and labels, by which a run finds its own
        containers, are left out.

    Returns
    -------
    str
        One line for a shell.
    """
    host = asked["HostConfig"]
    entry_point = asked.get("Entrypoint", [])
    words = [
        *("docker", "run", "--rm"),
        *(f"--user={asked['User']}", f"--hostname={asked['Hostname']}", "--no-healthcheck"),
        f"--network={host['NetworkMode']}",
        *(["--read-only"] if host["ReadonlyRootfs"] else []),
        *(f"--cap-drop={each}" for each in host["CapDrop"]),
        *(f"--security-opt={each}" for each in host["SecurityOpt"]),
        f"--ipc={host['IpcMode']}",
        *(["--init"] if host["Init"] else []),
        *(f"--cpus={host['NanoCpus'] / 1e9:g}", f"--memory={host['Memory']}b", f"--memory-swap={host['MemorySwap']}b"),
        *(f"--shm-size={host['ShmSize']}b", f"--pids-limit={host['PidsLimit']}"),
        *(f"--ulimit={each['Name']}={each['Soft']}:{each['Hard']}" for each in host["Ulimits"]),
        *(f"--tmpfs={target}:{options}" for target, options in host["Tmpfs"].items()),
        f"--log-driver={host['LogConfig']['Type']}",
        *(f"--log-opt={name}={value}" for name, value in host["LogConfig"]["Config"].items()),
        *([f"--runtime={host['Runtime']}"] if "Runtime" in host else []),
        *(f"--env={each}" for each in asked["Env"]),
        *(f"--mount={_mount(each)}" for each in host["Mounts"]),
        *(f"--gpus=device={','.join(each['DeviceIDs'])}" for each in host["DeviceRequests"]),
        *([f"--entrypoint={entry_point[0]}"] if entry_point else []),
        asked["Image"],
        *entry_point[1:],
        *asked["Cmd"],
    ]
    return shlex.join(words)


def _mount(mount: dict[str, Any]) -> str:
    fields = f"type={mount['Type']},source={mount['Source']},target={mount['Target']}"
    return fields + (",readonly" if mount["ReadOnly"] else "")
