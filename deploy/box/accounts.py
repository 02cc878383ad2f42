"""The accounts at the box's broker, each with a certificate, and Mosquitto's ACL of them."""

import json
import shutil
from pathlib import Path

from deploy.box.authority import Authority
from deploy.box.layout import Layout
from deploy.box.program import InstallError, write
from deploy.box.rights import Account, Role, acl


class Accounts:
    """What `accounts.json` says; a change is written at once, with the ACL that follows."""

    def __init__(self, layout: Layout, authority: Authority) -> None:
        self._layout, self._authority = layout, authority

    def all(self) -> list[Account]:
        """Every account, by name."""
        path = self._layout.accounts
        if not path.exists():
            return []
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            return [Account(one["name"], Role(one["role"]), one["scope"]) for one in told]
        except (ValueError, KeyError, TypeError) as error:
            said = f"{path} can't be read: {error!r}"
            raise InstallError(
                said, "put it back from a backup, or delete it and add accounts"
            ) from error

    def add(self, account: Account) -> bool:
        """Add or change an account, with a certificate; returns whether rights changed."""
        others = [one for one in self.all() if one.name != account.name]
        self.certify(account.name)
        return self._store([*others, account])

    def certify(self, name: str) -> bool:
        """See that there is a good certificate for `name`; returns whether a new one was made."""
        return self._authority.client(
            name, self._layout.secrets / f"{name}.key", self._layout.tls / f"{name}.pem"
        )

    def remove(self, name: str) -> None:
        """Take an account's rights and revoke its certificate."""
        known = self.all()
        if name not in {one.name for one in known}:
            names = ", ".join(sorted(one.name for one in known))
            raise InstallError(f"there is no account {name!r}", f"there are: {names}")
        self._authority.revoke(name)
        (self._layout.tls / f"{name}.pem").unlink(missing_ok=True)
        (self._layout.secrets / f"{name}.key").unlink(missing_ok=True)
        self._store([one for one in known if one.name != name])  # last: cut off, it is done again

    def hand_out(self, name: str, out: Path) -> None:
        """Copy what somebody needs to log in as `name`: authority, certificate, key."""
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        tls, secrets = self._layout.tls, self._layout.secrets
        for given, mode in (
            (tls / "ca.pem", 0o644), (tls / f"{name}.pem", 0o644), (secrets / f"{name}.key", 0o600)
        ):  # fmt: skip
            write(out / given.name, given.read_text(encoding="utf-8"), mode)

    def settle(self) -> bool:
        """Have the ACL say what `accounts.json` says; returns whether it said something else."""
        return self._store(self.all())

    def _store(self, accounts: list[Account]) -> bool:
        kept = [
            {"name": one.name, "role": one.role.value, "scope": one.scope}
            for one in sorted(accounts, key=lambda one: one.name)
        ]
        write(self._layout.accounts, json.dumps(kept, indent=2) + "\n", 0o640)
        changed = write(self._layout.acl, acl(accounts), 0o640)
        for path in (self._layout.accounts, self._layout.acl):
            _shared_with_folder(path)
        return changed


def _shared_with_folder(path: Path) -> None:
    """Give a file the group of its folder: the broker's."""
    shutil.chown(path, group=path.parent.stat().st_gid)
