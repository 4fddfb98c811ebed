"""fomo-eval: runs containerised brain-MRI models case by case, scores them and ranks them."""

__version__ = "0.1.0"
