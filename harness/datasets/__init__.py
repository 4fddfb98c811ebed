"""Cases, volumes and references on disk."""
