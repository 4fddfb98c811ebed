# Puts a link to the kernel's files where the init process is to be mounted.
RUN ["python", "-c", "import os; os.rename('/sbin', '/gone'); os.symlink('/proc', '/sbin')"]
