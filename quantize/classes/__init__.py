"""The detector's own classes as a second term of a box's score, for names near one of them."""
