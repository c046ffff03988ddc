"""The proofs, one in each module of this folder; a module that is added is one more proof."""

import pkgutil
from importlib import import_module

from allerac.updates.gate.proof import Proof


def find_proofs() -> list[Proof]:
    """Return every module's `PROOF`, by rank."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    proofs = [import_module(f"{__name__}.{name}").PROOF for name in names]
    return sorted(proofs, key=lambda proof: int(proof.rank))
