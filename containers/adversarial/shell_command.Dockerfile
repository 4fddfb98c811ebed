# Names its entry point as a line for a shell, which then swallows the flags.
ENTRYPOINT python /app/honest.py
