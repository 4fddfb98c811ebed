# Declares a volume below the inputs.
VOLUME ["/input/below"]
