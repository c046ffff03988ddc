"""What every wing stands on: the settings, the machine, the database, and what is kept in files."""

from dataclasses import dataclass

from allerac.accounts import Passwords
from allerac.app.hardware import Hardware, read_hardware
from allerac.appliance.certificate import CertificateFolder
from allerac.appliance.identity import FactoryIdentity, read_identity
from allerac.appliance.rescue_codes import RescueCodes
from allerac.appliance.secret_box import SecretBox
from allerac.settings import Settings
from allerac.storage import Database
from allerac.storage.accounts import AccountStore
from allerac.storage.attempts import AttemptStore
from allerac.storage.box import BoxStore


@dataclass(frozen=True, slots=True)
class Ground:
    """One of each for the whole box."""

    settings: Settings
    hardware: Hardware
    identity: FactoryIdentity
    database: Database
    boxes: BoxStore
    accounts: AccountStore
    attempts: AttemptStore
    secrets: SecretBox
    passwords: Passwords
    rescue: RescueCodes
    certificates: CertificateFolder


def lay_ground(settings: Settings, passwords: Passwords) -> Ground:
    """Look at the machine and its identity; nothing is opened yet."""
    database = Database(settings.data_dir / "allerac.sqlite")
    return Ground(
        settings=settings,
        hardware=read_hardware(settings),
        identity=read_identity(settings.identity_dir),
        database=database,
        boxes=BoxStore(database),
        accounts=AccountStore(database),
        attempts=AttemptStore(database),
        secrets=SecretBox(settings.data_dir / "secrets" / "secret-box.key"),
        passwords=passwords,
        rescue=RescueCodes(settings.identity_dir and settings.identity_dir / "rescue"),
        certificates=CertificateFolder(settings.data_dir / "tls"),
    )
