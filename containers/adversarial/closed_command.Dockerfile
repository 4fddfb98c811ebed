# Names an entry point that is not a program.
ENTRYPOINT ["/app/honest.py"]
