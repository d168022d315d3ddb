"""A bundle's manifest and bank of negatives (docs/architecture.md, "The bundle"): read and written."""
