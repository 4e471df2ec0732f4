"""Secret of the checksums in the cache, so that no other user can write entries that pass for one's own."""

import hashlib
import os
import stat
from contextlib import suppress
from functools import cache
from pathlib import Path

import pooch

from skfewaudio._files import open_regular, partial_name
from skfewaudio._weights import weights_home

VARIABLE = "SKFEWAUDIO_CACHE_KEY"
FILE_NAME = "features.key"
N_BYTES = 32
OTHERS_ACCESS = 0o007
ANY_ACCESS_BUT_OWN = 0o077


def load_secret() -> bytes:
    """Return the secret of this user, which is created at the first use.

    It is kept in the cache folder of the package or, if that folder cannot hold a private file, in the cache
    folder of the operating system. The environment variable names the file of a secret that several users
    share.

    Raises
    ------
    OSError
        If the secret cannot be read or created, or if other users can read it.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return _load_named(Path(named).expanduser())
    return _load_own(weights_home().parent, Path(pooch.os_cache("skfewaudio")))


@cache
def _load_named(path: Path) -> bytes:
    """Load a secret that several users share: of any size, and unknown to users outside the group."""
    try:
        with open_regular(path) as file:
            is_open = _has_access(os.fstat(file.fileno()), OTHERS_ACCESS)
            content = file.read()
    except OSError as error:
        raise OSError(error.errno, f"{VARIABLE} names a file that cannot be read", str(path)) from error
    if is_open or len(content) < N_BYTES:
        raise PermissionError(
            f"{VARIABLE} names {path}, which must have at least {N_BYTES} bytes, and no access for users "
            "outside its group (chmod o-rwx)"
        )
    return hashlib.blake2b(content, digest_size=N_BYTES).digest()


@cache
def _load_own(*folders: Path) -> bytes:
    """Load or create the secret in the first folder that can hold a private file."""
    errors: list[OSError] = []
    for folder in dict.fromkeys(folders):
        path = folder / FILE_NAME
        try:
            return _read_own(path) or _create(path)
        except OSError as error:
            errors.append(error)
    raise errors[0]


def _read_own(path: Path) -> bytes | None:
    """Return the secret in a file that belongs to this user alone; None if it is missing or damaged."""
    try:
        with open_regular(path) as file:
            state = os.fstat(file.fileno())
            content = file.read(N_BYTES + 1)
    except FileNotFoundError:
        return None
    is_foreign = hasattr(os, "geteuid") and state.st_uid != os.geteuid()
    if is_foreign or _has_access(state, ANY_ACCESS_BUT_OWN):
        raise PermissionError(f"{path} must belong to this user, without access for others (chmod 600)")
    return content if len(content) == N_BYTES else None


def _has_access(state: os.stat_result, bits: int) -> bool:
    """Return whether a file has some of the permissions; on Windows, folders of users are private."""
    return os.name == "posix" and bool(stat.S_IMODE(state.st_mode) & bits)


def _create(path: Path) -> bytes:
    """Create a secret, unless another process creates it at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(partial_name())
    try:
        number = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(number, "wb") as file:  # noqa: PTH123
            file.write(os.urandom(N_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(partial, path)  # unlike a rename, keeps the file of another process
        except FileExistsError:
            if _read_own(path) is None:  # damaged
                partial.replace(path)
        except OSError:  # a disk without links
            partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    secret = _read_own(path)
    if secret is None:
        raise FileNotFoundError(f"{path} was removed by another process")
    return secret
