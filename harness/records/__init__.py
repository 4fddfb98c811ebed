"""What a run keeps: its plan, one record per trial, the predictions, and the folder that holds them."""
