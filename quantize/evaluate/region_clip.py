"""A trained RegionClip as a predictor. Dense features of a picture are computed once, however many protocols ask for them."""
