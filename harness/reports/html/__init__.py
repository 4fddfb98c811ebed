"""Pages that open from a USB stick: one for organisers, one for each team."""
