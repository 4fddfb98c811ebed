# Puts a link to the kernel's files where the output is to be mounted.
RUN ["python", "-c", "import os; os.symlink('/proc', '/output')"]
