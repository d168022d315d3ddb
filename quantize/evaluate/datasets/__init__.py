"""Public data sets in the folders and files in which their makers publish them; one file per set."""
