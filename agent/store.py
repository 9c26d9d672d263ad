"""Runs and where they are kept: a local folder, or a bucket by URL.

A run is a folder `runs/<id>/`:

    plan.json                      what is judged and collected, by which settings (never a secret)
    policies.json                  the policies' texts and parameters that it is judged by
    evidence/<table>/<scope>.ndjson
    scopes/<scope>.json            the commit of a scope: its segments with their digests, and its gaps
    findings.parquet, result.json  the verdicts
    manifest.json                  SHA-256 of every file above, and of the previous run's manifest

Two names decide what counts. A scope counts once `scopes/<scope>.json` is there, a run once `manifest.json` is there;
each is written whole, flushed to disk and renamed into place (or put at once into a bucket). So a process killed at any
moment leaves a run that `--resume` finishes, and that no reader takes for a finished one.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from agent.errors import StoreError

T = TypeVar("T")
_PARTIAL = ".partial-"


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


def open_store(location: str) -> Store:
    """The store at a folder or a URL (`s3://bucket/path`, `gs://…`, `az://…`)."""
    return BucketStore(location) if "://" in location else FolderStore(Path(location))


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
        write_file(self.root / name, data)

    def take(self, name: str, path: Path) -> None:
        """See `Store.take`; renames within a file system, and copies across two."""
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.stat().st_dev != target.parent.stat().st_dev:
            write_file(target, path.read_bytes())
            shutil.copymode(path, target)
            path.unlink()
            return
        with path.open("rb") as file:
            os.fsync(file.fileno())
        path.replace(target)
        _sync_folder(target.parent)

    def local(self, name: str, scratch: Path) -> Path:
        """See `Store.local`."""
        del scratch
        return self.root / name

    def names(self, prefix: str) -> list[str]:
        """See `Store.names`."""
        base = self.root / prefix
        found = (path for path in base.rglob("*") if path.is_file() and not path.name.startswith(_PARTIAL))
        return sorted(path.relative_to(self.root).as_posix() for path in found)


class BucketStore:
    """A store in object storage, through obstore."""

    def __init__(self, url: str) -> None:
        import obstore.store  # noqa: PLC0415 - only runs in a bucket need it

        self.location = url.rstrip("/")
        options: dict[str, Any] = {}
        if url.startswith("s3://"):
            from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415

            options["credential_provider"] = Boto3CredentialProvider()
            endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
            if endpoint:
                options |= {"endpoint": endpoint, "client_options": {"allow_http": endpoint.startswith("http://")}}
        try:
            self._store = obstore.store.from_url(self.location, **options)
        except Exception as error:  # obstore's errors share no base but Exception
            raise StoreError(f"{url}: cannot be used as a store: {_line(error)}") from error

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

    def names(self, prefix: str) -> list[str]:
        """See `Store.names`."""
        try:
            return sorted(meta["path"] for page in self._store.list(prefix) for meta in page)
        except Exception as error:
            raise StoreError(f"{self.location}/{prefix}: cannot be listed: {_line(error)}") from error


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished run consists of, and which run it follows."""

    schema: str = "clausule/manifest/1"
    run: str
    files: dict[str, str]
    """SHA-256 by name within the run."""
    previous_run: str
    previous_manifest: str
    """SHA-256 of the previous finished run's manifest; empty for the first."""


class Run:
    """One run in a store."""

    def __init__(self, store: Store, identifier: str) -> None:
        self.store, self.id = store, identifier
        self._base = f"runs/{identifier}"

    def name(self, name: str) -> str:
        """The store's name for one of the run's files."""
        return f"{self._base}/{name}"

    def names(self) -> list[str]:
        """The run's files, by name within the run."""
        return [name.removeprefix(f"{self._base}/") for name in self.store.names(self._base)]

    def read(self, name: str, kind: type[T]) -> T:
        """A JSON file of the run as a `kind`."""
        try:
            return msgspec.json.decode(self.store.read(self.name(name)), type=kind)
        except msgspec.DecodeError as error:
            raise StoreError(f"{self.store.location}/{self.name(name)}: is not what Clausule wrote: {error}") from error

    def write(self, name: str, value: Any) -> None:
        """Write a value as JSON, keys sorted."""
        encoded = msgspec.json.encode(value, order="sorted")
        self.store.write(self.name(name), msgspec.json.format(encoded, indent=1) + b"\n")

    def finished(self) -> bool:
        """Whether the run has its manifest."""
        return "manifest.json" in self.names()

    def seal(self, previous: Run | None) -> Manifest:
        """Write the manifest, which makes the run a finished one."""
        files = {name: self._digest(name) for name in self.names() if name != "manifest.json"}
        last = previous.manifest_digest() if previous else ""
        manifest = Manifest(
            run=self.id, files=files, previous_run=previous.id if previous else "", previous_manifest=last
        )
        self.write("manifest.json", manifest)
        return manifest

    def manifest(self) -> Manifest:
        """The manifest; `StoreError` when the run is not finished."""
        if not self.finished():
            raise StoreError(f"run {self.id} is not finished; finish it with: clausule audit --resume {self.id}")
        return self.read("manifest.json", Manifest)

    def manifest_digest(self) -> str:
        """SHA-256 of the manifest as stored."""
        return hashlib.sha256(self.store.read(self.name("manifest.json"))).hexdigest()

    def verify(self) -> None:
        """Raise `StoreError` unless every file is there, none is added, and each has the digest of the manifest."""
        expected = self.manifest().files
        present = set(self.names()) - {"manifest.json"}
        for name in sorted(present ^ set(expected)):
            problem = "is not in its manifest" if name in present else "is missing"
            raise StoreError(f"run {self.id}: {name} {problem}; the run is not what was recorded")
        for name, digest in expected.items():
            if self._digest(name) != digest:
                raise StoreError(f"run {self.id}: {name} was changed after the run; do not rely on it")

    def _digest(self, name: str) -> str:
        return hashlib.sha256(self.store.read(self.name(name))).hexdigest()


def new_run(store: Store, started: str) -> Run:
    """A run with a new id that sorts by time: `20261123T203000Z-1f0c`."""
    stamp = started.replace("-", "").replace(":", "")
    return Run(store, f"{stamp}-{secrets.token_hex(2)}")


def runs(store: Store) -> list[Run]:
    """All runs, oldest first, finished or not."""
    found = {name.split("/")[1] for name in store.names("runs") if name.count("/") > 1}
    return [Run(store, identifier) for identifier in sorted(found)]


def find(store: Store, identifier: str) -> Run:
    """The run with that id, or the newest finished one for `latest`; raises `StoreError`."""
    known = runs(store)
    if identifier == "latest":
        finished = [run for run in known if run.finished()]
        if finished:
            return finished[-1]
        raise StoreError(f"{store.location} holds no finished run; make one with: clausule audit")
    for run in known:
        if run.id == identifier:
            return run
    recent = ", ".join(run.id for run in known[-3:]) or "none"
    raise StoreError(f"{store.location} holds no run {identifier}; the newest are: {recent}")


def verify_chain(found: list[Run]) -> int:
    """Verify every finished run, and that the run it follows is there unchanged; returns how many there are.

    Runs may overlap, so a run follows the newest one that was finished when it was sealed, not always its neighbour.
    """
    finished = {run.id: run for run in found if run.finished()}
    for run in finished.values():
        run.verify()
        manifest = run.manifest()
        if manifest.previous_run and manifest.previous_run not in finished:
            raise StoreError(f"run {manifest.previous_run}, which {run.id} follows, is not in the store")
        if manifest.previous_run and finished[manifest.previous_run].manifest_digest() != manifest.previous_manifest:
            raise StoreError(f"run {manifest.previous_run} was changed after {run.id} was made")
    return len(finished)


def write_file(path: Path, data: bytes) -> None:
    """Write a local file whole: into a file beside it, flushed, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=_PARTIAL)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:300]
