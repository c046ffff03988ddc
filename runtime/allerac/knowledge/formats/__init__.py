"""The formats that are read, one file each. Only the worker process imports them."""
