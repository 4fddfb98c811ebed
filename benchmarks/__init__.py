"""How fast, and in how much memory: ``make bench`` measures, compares with what was promised, and writes it down."""
