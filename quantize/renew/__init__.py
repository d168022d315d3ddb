"""Trains the picture's head of a finished bundle anew, on what the bundle's own int8 trunk sees; everything else stays."""
