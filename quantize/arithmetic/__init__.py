"""The board's arithmetic in numpy: the specification that the binary is compared with, bit for bit."""
