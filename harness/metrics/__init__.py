"""What a prediction is worth beside its reference: pure functions of arrays, named in one registry.

A metric reads arrays and parameters, never a file, a case or a team. What a missing or invalid prediction is worth is
the scoring's decision; what an empty mask or a single class is worth is stated by each function.
:mod:`harness.metrics.registry` lists the metrics and imports none of them until it is asked to.
"""
