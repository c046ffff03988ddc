"""The wing of the accounts: what the wizard needs of them, and the proof that claims the box."""

from collections.abc import Sequence

from allerac.accounts import Passwords
from allerac.accounts import codes as account_codes
from allerac.accounts import names as account_names
from allerac.accounts import passwords as account_passwords
from allerac.appliance.identity import FactoryIdentity
from allerac.appliance.rescue_codes import RescueCodes
from allerac.onboarding.claim_code import CODE_LENGTH, ClaimCode, ClaimProof, LabelCode
from allerac.settings import Settings


class AccountSecrets:
    """What the wizard needs of the accounts room."""

    def __init__(self, passwords: Passwords, rescue: RescueCodes) -> None:
        self._passwords = passwords
        self._rescue = rescue

    clean_name = staticmethod(account_names.clean_name)
    name_key = staticmethod(account_names.name_key)
    normalise_code = staticmethod(account_codes.normalise_code)
    new_token = staticmethod(account_codes.new_token)
    hash_token = staticmethod(account_codes.hash_token)

    def require_strong(self, password: str, names: Sequence[str]) -> None:
        """Raise `InvalidInput` for a password that would be guessed."""
        account_passwords.require_strong(password, names)

    async def hash_password(self, password: str) -> str:
        """Return the encoded hash."""
        return await self._passwords.hash(password)

    async def keep_for_rescue(self, code: str) -> None:
        """Let the owner's recovery code, normalised, open the rescue page."""
        await self._rescue.keep("owner", code)

    def new_recovery_code(self) -> str:
        """Return a code to keep."""
        return account_codes.new_code(account_codes.RECOVERY_GROUPS)


def build_claim_proof(
    settings: Settings, identity: FactoryIdentity, passwords: Passwords, rescue: RescueCodes
) -> ClaimProof:
    """Return the code of the label, or one of our own that the console shows."""
    if identity.claim_code_hash is not None:
        return LabelCode(identity.claim_code_hash, passwords.verify)

    def make() -> str:
        code = account_codes.new_code(1, CODE_LENGTH)
        rescue.keep_now("label", code)
        return code

    return ClaimCode(settings.data_dir / "secrets" / "claim-code", make)
