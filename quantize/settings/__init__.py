"""What can be set, as dataclasses: the recipes' tables, and how TOML becomes them. Every key is explained at its field."""
