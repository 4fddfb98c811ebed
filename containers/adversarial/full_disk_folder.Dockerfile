# Works in a folder whose name is what an engine says of a full disk.
WORKDIR "/input/no space left on device"
