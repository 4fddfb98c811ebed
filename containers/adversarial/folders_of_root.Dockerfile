# Has the engine make folders in the output as root, by way of a link, before anything runs.
RUN ["python", "-c", "import os; os.symlink('/output', '/way')"]
VOLUME ["/way/volume/below"]
WORKDIR /way/down/below
