"""Where runs are kept: named blobs in a local folder, or in a bucket by URL.

A blob is written whole, flushed to disk and renamed into place (or put at once into a bucket): a reader sees the old
one or the new one, also after `kill -9`.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Protocol

from agent.errors import StoreError, UsageError
from agent.files import PARTIAL, partial, write_file


class Store(Protocol):
    """Named blobs. Names are relative paths with `/`."""

    location: str

    def read(self, name: str) -> bytes:
        """The blob; raises `StoreError` when there is none or it cannot be read."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Write the blob whole: a reader sees the old one or the new one."""
        ...

    def take(self, name: str, path: Path) -> None:
        """Move a local file in as a blob."""
        ...

    def local(self, name: str, scratch: Path) -> Path:
        """A local file with the blob's bytes; a copy in `scratch` where the store is remote."""
        ...

    def names(self, prefix: str) -> list[str]:
        """The names below a prefix, sorted."""
        ...

    def exists(self, name: str) -> bool:
        """Whether there is such a blob."""
        ...

    def create(self, name: str, data: bytes) -> None:
        """Write the blob unless it is there; raises `StoreError` when it is."""
        ...

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Hold a name against other processes, as far as the store can; raises `StoreError` when it is held."""
        ...


def open_store(location: str) -> Store:
    """The store at a folder or a URL (`s3://bucket/path`, `gs://…`, `az://…`)."""
    if "://" in location:
        return BucketStore(location)
    if Path(location).exists() and not Path(location).is_dir():
        raise UsageError(f"store: '{location}' is a file, not a folder")
    return FolderStore(Path(location))


class FolderStore:
    """A store in a local folder."""

    def __init__(self, root: Path) -> None:
        self.root, self.location = root, str(root)

    def read(self, name: str) -> bytes:
        """See `Store.read`."""
        try:
            return (self.root / name).read_bytes()
        except OSError as error:
            raise StoreError(f"{self.root / name}: cannot be read: {error.strerror}") from error

    def write(self, name: str, data: bytes) -> None:
        """See `Store.write`."""
        with self._explained(name):
            write_file(self.root / name, data)

    def take(self, name: str, path: Path) -> None:
        """See `Store.take`; copies first, because the file may be on another file system."""
        target = self.root / name
        with self._explained(name):
            target.parent.mkdir(parents=True, exist_ok=True)
            with partial(target) as copy:
                shutil.copyfile(path, copy)
                shutil.copymode(path, copy)
            path.unlink()

    def exists(self, name: str) -> bool:
        """See `Store.exists`."""
        return (self.root / name).is_file()

    def create(self, name: str, data: bytes) -> None:
        """See `Store.create`."""
        if self.exists(name):
            raise StoreError(f"{self.root / name}: is there already")
        self.write(name, data)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """See `Store.lock`; the lock goes with the process."""
        path = self.root / f"{name}.lock"
        with self._explained(name):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("w")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise StoreError(f"{self.root / name}: another process is working on it") from None
            yield

    @contextmanager
    def _explained(self, name: str) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise StoreError(f"{self.root / name}: cannot be written: {reason}") from error

    def local(self, name: str, scratch: Path) -> Path:
        """See `Store.local`."""
        del scratch
        return self.root / name

    def names(self, prefix: str) -> list[str]:
        """See `Store.names`."""
        base = self.root / prefix
        found = (path for path in base.rglob("*") if path.is_file() and not path.name.startswith(PARTIAL))
        return sorted(path.relative_to(self.root).as_posix() for path in found)


class BucketStore:
    """A store in object storage, through obstore."""

    def __init__(self, url: str) -> None:
        import obstore.store  # noqa: PLC0415 - only runs in a bucket need it

        self.location = url.rstrip("/")
        try:
            options = _s3_options() if url.startswith("s3://") else {}
            self._store = obstore.store.from_url(self.location, **options)
        except Exception as error:  # obstore's errors share no base but Exception
            schemes = "a folder, s3://, gs:// or az://"
            raise UsageError(f"store: {url} cannot be used ({_line(error)}); write {schemes}") from error

    def read(self, name: str) -> bytes:
        """See `Store.read`."""
        try:
            return bytes(self._store.get(name).bytes())
        except Exception as error:
            raise StoreError(f"{self.location}/{name}: cannot be read: {_line(error)}") from error

    def write(self, name: str, data: bytes) -> None:
        """See `Store.write`."""
        try:
            self._store.put(name, data)
        except Exception as error:
            raise StoreError(f"{self.location}/{name}: cannot be written: {_line(error)}") from error

    def take(self, name: str, path: Path) -> None:
        """See `Store.take`; large files go in parts."""
        try:
            self._store.put(name, path)
        except Exception as error:
            raise StoreError(f"{self.location}/{name}: cannot be written: {_line(error)}") from error
        path.unlink()

    def local(self, name: str, scratch: Path) -> Path:
        """See `Store.local`."""
        path = scratch / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.read(name))
        return path

    def exists(self, name: str) -> bool:
        """See `Store.exists`."""
        try:
            self._store.head(name)
        except FileNotFoundError:
            return False
        except Exception as error:
            raise StoreError(f"{self.location}/{name}: cannot be read: {_line(error)}") from error
        return True

    def create(self, name: str, data: bytes) -> None:
        """See `Store.create`; one conditional put."""
        try:
            self._store.put(name, data, mode="create")
        except Exception as error:
            raise StoreError(f"{self.location}/{name}: cannot be created: {_line(error)}") from error

    def lock(self, name: str) -> AbstractContextManager[None]:
        """See `Store.lock`; a bucket has no locks: there `create` keeps a second process from ending the same run."""
        del name
        return nullcontext()

    def names(self, prefix: str) -> list[str]:
        """See `Store.names`."""
        try:
            return sorted(meta["path"] for page in self._store.list(prefix) for meta in page)
        except Exception as error:
            raise StoreError(f"{self.location}/{prefix}: cannot be listed: {_line(error)}") from error


def _s3_options() -> dict[str, Any]:
    """boto3's credentials, and the endpoint that its environment variables name."""
    from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415 - see above

    options: dict[str, Any] = {"credential_provider": Boto3CredentialProvider()}
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        options |= {"endpoint": endpoint, "client_options": {"allow_http": endpoint.startswith("http://")}}
    return options


def _line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:300]
