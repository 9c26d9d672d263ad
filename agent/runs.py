"""Runs: what an audit leaves in a store.

A run is a folder `runs/<id>/`:

    policies.json, found.json      the policies that it is judged by, the scopes that it found
    plan.json                      what is judged and collected, by which settings (never a secret)
    evidence/<table>/<scope>.ndjson
    scopes/<scope>.json            the commit of a scope: its segments with their digests, and its gaps
    findings.parquet, verdicts.json
    manifest.json                  SHA-256 of every file above, and of the previous run's manifest

Three names decide what counts: a run is one once `plan.json` is there, a scope once `scopes/<scope>.json` is, and a
run is finished once `manifest.json` is. So a process killed at any moment leaves a run that `--resume` finishes, and
that no reader takes for a finished one.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import msgspec

from agent.errors import StoreError
from agent.store import Store

T = TypeVar("T")


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
        self.store.write(self.name(name), _json(value))

    def finished(self) -> bool:
        """Whether the run has its manifest."""
        return self.store.exists(self.name("manifest.json"))

    def lock(self) -> AbstractContextManager[None]:
        """Hold the run against another process that would work on it."""
        return self.store.lock(f"locks/{self.id}")

    def seal(self, previous: Run | None) -> Manifest:
        """Write the manifest, which makes the run a finished one."""
        files = {name: self._digest(name) for name in self.names() if name != "manifest.json"}
        last = previous.manifest_digest() if previous else ""
        manifest = Manifest(
            run=self.id, files=files, previous_run=previous.id if previous else "", previous_manifest=last
        )
        self.store.create(self.name("manifest.json"), _json(manifest))
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
    """All runs, oldest first, finished or not; one that was killed before it had a plan is none."""
    found = {name.split("/")[1] for name in store.names("runs") if name.endswith("/plan.json")}
    return [Run(store, identifier) for identifier in sorted(found)]


def find(store: Store, identifier: str) -> Run:
    """The run with that id, or the newest finished one for `latest`; raises `StoreError`."""
    known = runs(store)
    if identifier == "latest":
        newest = next((run for run in reversed(known) if run.finished()), None)
        if newest:
            return newest
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


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=1) + b"\n"
