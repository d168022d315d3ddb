"""What examples are worth, measured through the program: its own vectors, its own files, its own scores."""
