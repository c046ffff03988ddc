"""Mitogen in a root that is a folder here, which its package has no connection for."""

from ansible_mitogen.connection import Connection as MitogenConnection

DOCUMENTATION = """
name: mitogen_chroot
short_description: Run modules in another root of this machine
description:
  - The variable C(ansible_python_interpreter) says how to get there, such as C(chroot /srv/root
    /usr/bin/python3). Unlike C(local), nothing of this machine's folders or environment goes along.
author: Allerac
options: {}
"""


class Connection(MitogenConnection):
    """A process of this machine, which enters the other root before Python begins."""

    transport = "local"
