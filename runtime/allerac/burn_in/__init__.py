"""A unit's first start: proves the hardware under load and signs what it found."""

from .certificate import Certificate, sign
from .figures import FactoryFigures, read_figures
from .hand_over import hand_over
from .keeper import Keeper, is_factory_mode
from .load import InferenceLoad, Load, Pace
from .offer import CertificateOffer, offer
from .outcome import Outcome
from .reporter import Reporter
from .service import BurnIn, Extent

__all__ = [
    "BurnIn",
    "Certificate",
    "CertificateOffer",
    "Extent",
    "FactoryFigures",
    "InferenceLoad",
    "Keeper",
    "Load",
    "Outcome",
    "Pace",
    "Reporter",
    "hand_over",
    "is_factory_mode",
    "offer",
    "read_figures",
    "sign",
]
