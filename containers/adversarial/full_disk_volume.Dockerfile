# Declares a volume whose name is what an engine says of a full disk.
VOLUME ["/input/no space left on device"]
