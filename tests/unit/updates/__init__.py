"""Updates on the device, with a real repository and a RAUC that acts as one."""
