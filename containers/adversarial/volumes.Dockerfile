# Declares as volumes what is mounted, what is watched and what would be kept.
VOLUME ["/output", "/input", "/tmp", "/dev/shm", "/kept", "/output/below", "/app/below"]
