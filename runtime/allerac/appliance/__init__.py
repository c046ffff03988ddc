"""What surrounds the runtime on the box: service manager, identity, certificate, console."""
