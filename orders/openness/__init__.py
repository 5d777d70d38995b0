"""What the public may see: farmers' share, costs beside it, who bought, the village's own page. Exposing nobody."""
