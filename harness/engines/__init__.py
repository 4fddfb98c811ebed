"""How one container runs, and how its ending is judged."""
