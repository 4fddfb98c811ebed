# Names an entry point that is not there.
ENTRYPOINT ["/not/there"]
