"""A unit's first start: proves the hardware under load and signs what it found."""

from .certificate import Certificate, sign
from .device_key import DeviceKey, PartitionKey, unit_key
from .figures import FactoryFigures, read_figures
from .hand_over import hand_over
from .keeper import Keeper, is_factory_mode
from .load import InferenceLoad, Load, Pace
from .offer import CertificateOffer, offer
from .outcome import Outcome
from .probes import tpm_version
from .reporter import Reporter
from .service import BurnIn, Extent

__all__ = [
    "BurnIn",
    "Certificate",
    "CertificateOffer",
    "DeviceKey",
    "Extent",
    "FactoryFigures",
    "InferenceLoad",
    "Keeper",
    "Load",
    "Outcome",
    "Pace",
    "PartitionKey",
    "Reporter",
    "hand_over",
    "is_factory_mode",
    "offer",
    "read_figures",
    "sign",
    "tpm_version",
    "unit_key",
]
