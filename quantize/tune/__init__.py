"""From a labelled set to a bundle of one's own: the shipped heads learn it on what their own int8 trunk sees."""
