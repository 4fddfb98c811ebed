"""What every implementation of a protocol has to hold, written once and run against each."""
