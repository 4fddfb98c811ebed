"""Plots as SVG text: pure functions, numbers in, a drawing out."""
