"""From predictions and references to a ranked leaderboard."""
