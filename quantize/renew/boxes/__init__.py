"""Trains the regions' head of a finished bundle anew, on the boxes that the bundle itself proposes; everything else stays."""
