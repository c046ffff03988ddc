"""The gate: a new version stays only when everything that worked before works again."""

from .baseline import NEW_BOX, Baseline, BaselineFile
from .command import NOT_PROVEN, PROVEN, WENT_BACK, Gate, prove
from .engine_model import EngineModel
from .http_front_door import HttpFrontDoor
from .keeper import BaselineKeeper
from .observation import observe
from .private_door import ModelBehindDoor, PrivateDoor
from .proof import NotProvenError, Proof, Sentence
from .proofs import find_proofs
from .reason_file import ReasonFile
from .runner import Fault, Judgement, Runner
from .surroundings import (
    BoxAddress,
    Data,
    DataState,
    Disk,
    FrontDoor,
    Model,
    Network,
    Page,
    Spoken,
    Surroundings,
    Thermometer,
)
from .this_box import surroundings_of_box

__all__ = [
    "NEW_BOX",
    "NOT_PROVEN",
    "PROVEN",
    "WENT_BACK",
    "Baseline",
    "BaselineFile",
    "BaselineKeeper",
    "BoxAddress",
    "Data",
    "DataState",
    "Disk",
    "EngineModel",
    "Fault",
    "FrontDoor",
    "Gate",
    "HttpFrontDoor",
    "Judgement",
    "Model",
    "ModelBehindDoor",
    "Network",
    "NotProvenError",
    "Page",
    "PrivateDoor",
    "Proof",
    "ReasonFile",
    "Runner",
    "Sentence",
    "Spoken",
    "Surroundings",
    "Thermometer",
    "find_proofs",
    "observe",
    "prove",
    "surroundings_of_box",
]
