# Has the engine make two hundred folders in each other below the output, by way of links.
RUN ["python", "-c", "import os; os.symlink('/output' + '/a' * 50, '/way0'); \
[os.symlink(f'/way{n}' + '/a' * 50, f'/way{n + 1}') for n in range(3)]"]
VOLUME ["/way3/below"]
