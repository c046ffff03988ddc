"""The wing of the accounts: people, the wizard, and the proof that claims the box."""

from collections.abc import Awaitable, Callable, Sequence

from allerac.accounts import AccountService, Passwords
from allerac.accounts import codes as account_codes
from allerac.accounts import names as account_names
from allerac.accounts import passwords as account_passwords
from allerac.app.ground import Ground
from allerac.appliance.rescue_codes import RescueCodes
from allerac.onboarding import OnboardingService
from allerac.onboarding.claim_code import CODE_LENGTH, ClaimCode, ClaimProof, LabelCode
from allerac.storage.invitations import InvitationStore


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


def build_accounts(
    ground: Ground,
    *,
    before_removal: Callable[[str], Awaitable[None]],
    on_removed: Callable[[str], None],
) -> AccountService:
    """Return the service of people and their sign-ins, which tells the others of who goes."""
    return AccountService(
        accounts=ground.accounts,
        invitations=InvitationStore(ground.database),
        attempts=ground.attempts,
        passwords=ground.passwords,
        rescue=ground.rescue,
        before_removal=before_removal,
        on_removed=on_removed,
    )


def build_onboarding(ground: Ground) -> OnboardingService:
    """Return the wizard."""
    return OnboardingService(
        store=ground.boxes,
        attempts=ground.attempts,
        code=_claim_proof(ground),
        secrets=AccountSecrets(ground.passwords, ground.rescue),
    )


def _claim_proof(ground: Ground) -> ClaimProof:
    """Return the code of the label, or one of our own that the console shows."""
    if ground.identity.claim_code_hash is not None:
        return LabelCode(ground.identity.claim_code_hash, ground.passwords.verify)

    def make() -> str:
        code = account_codes.new_code(1, CODE_LENGTH)
        ground.rescue.keep_now("label", code)
        return code

    return ClaimCode(ground.settings.data_dir / "secrets" / "claim-code", make)
