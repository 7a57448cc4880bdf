"""The numbers of protobuf's wire format and of the lists in a Feature."""

# Wire types of protobuf.
VARINT, FIXED_64, DELIMITED, FIXED_32 = 0, 1, 2, 5

# The numbers of the lists in a Feature.
BYTES_LIST, FLOAT_LIST, INT64_LIST = 1, 2, 3
