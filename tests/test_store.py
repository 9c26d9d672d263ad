"""Runs in a store: whole or not at all, tamper-evident, the same in a folder and in a bucket."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import msgspec
import pytest
from moto.server import ThreadedMotoServer

from agent.errors import StoreError, UsageError
from agent.files import write_file
from agent.runs import Run, find, new_run, runs, verify_chain
from agent.store import BucketStore, FolderStore, Store, open_store


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    if request.param == "folder":
        return FolderStore(tmp_path / "store")
    endpoint = request.getfixturevalue("s3_endpoint")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    name = f"evidence-{tmp_path.name.replace('_', '-').lower()}"
    location = {"LocationConstraint": "eu-west-1"}
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=name, CreateBucketConfiguration=location)
    return open_store(f"s3://{name}/clausule")


def sealed(store: Store, identifier: str, previous: Run | None = None) -> Run:
    run = Run(store, identifier)
    run.write("plan.json", {"a": 1})
    run.write("scopes/one.json", {"b": 2})
    run.seal(previous)
    return run


def test_what_is_written_is_read(store: Store, tmp_path: Path) -> None:
    run = new_run(store, "2026-11-23T20:30:00Z")
    assert run.id.startswith("20261123T203000Z-")
    run.write("plan.json", {"b": [1], "a": "é"})
    assert run.read("plan.json", dict) == {"a": "é", "b": [1]}
    segment = tmp_path / "rows"
    segment.write_bytes(b"row\n" * 3)
    store.take(run.name("evidence/t/s.ndjson"), segment)
    assert not segment.exists()
    assert store.local(run.name("evidence/t/s.ndjson"), tmp_path / "scratch").read_bytes() == b"row\n" * 3
    assert run.names() == ["evidence/t/s.ndjson", "plan.json"]


def test_a_run_counts_only_once_sealed(store: Store) -> None:
    run = Run(store, "20260101T000000Z-0001")
    run.write("plan.json", {})
    assert not run.finished()
    with pytest.raises(StoreError, match="--resume 20260101T000000Z-0001"):
        run.manifest()
    with pytest.raises(StoreError, match="no finished run"):
        find(store, "latest")
    run.seal(None)
    assert find(store, "latest").id == run.id
    run.verify()


def test_any_change_is_noticed(store: Store) -> None:
    run = sealed(store, "20260101T000000Z-0001")
    store.write(run.name("extra.json"), b"{}")
    with pytest.raises(StoreError, match=r"extra.json is not in its manifest"):
        run.verify()
    again = sealed(store, "20260102T000000Z-0002")
    store.write(again.name("plan.json"), b'{"a": 2}')
    with pytest.raises(StoreError, match="plan.json was changed"):
        again.verify()


def test_the_chain_notices_a_run_that_was_made_anew(store: Store) -> None:
    first = sealed(store, "20260101T000000Z-0001")
    sealed(store, "20260102T000000Z-0002", first)
    assert verify_chain(runs(store)) == 2
    first.write("plan.json", {"a": 99})
    digest = hashlib.sha256(store.read(first.name("plan.json"))).hexdigest()
    manifest = first.manifest()
    first.write("manifest.json", msgspec.structs.replace(manifest, files={**manifest.files, "plan.json": digest}))
    first.verify()
    with pytest.raises(StoreError, match="0001 was changed after 20260102T000000Z-0002"):
        verify_chain(runs(store))


def test_a_run_is_sealed_once(store: Store) -> None:
    """Two processes that end the same run: the second finds it ended."""
    run = sealed(store, "20260101T000000Z-0001")
    before = run.manifest_digest()
    with pytest.raises(StoreError):
        run.seal(None)
    assert run.manifest_digest() == before


def test_a_folder_that_was_killed_before_it_had_a_plan_is_no_run(store: Store) -> None:
    Run(store, "20260101T000000Z-0001").write("policies.json", [])
    assert runs(store) == []


def test_a_run_in_a_folder_is_worked_on_by_one_process(tmp_path: Path) -> None:
    run = Run(FolderStore(tmp_path), "r")
    with run.lock(), pytest.raises(StoreError, match="another process"), Run(FolderStore(tmp_path), "r").lock():
        pass
    with run.lock():
        pass


@pytest.mark.parametrize("location", ["/proc/nowhere", "\0"])
def test_a_store_that_cannot_be_written_is_one_clear_line(location: str) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        Run(open_store(location), "x").write("plan.json", {})


def test_unknown_run_names_the_newest(store: Store) -> None:
    sealed(store, "20260101T000000Z-0001")
    with pytest.raises(StoreError, match="newest are: 20260101T000000Z-0001"):
        find(store, "nope")


def test_a_missing_file_is_noticed(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    run = sealed(store, "20260101T000000Z-0001")
    (tmp_path / run.name("plan.json")).unlink()
    with pytest.raises(StoreError, match="plan.json is missing"):
        run.verify()


def test_a_bucket_that_is_not_there_is_one_clear_line(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    with pytest.raises(StoreError, match="cannot be") as caught:
        Run(BucketStore("s3://nowhere-at-all"), "x").write("plan.json", {})
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="gopher://x cannot be used"):
        open_store("gopher://x")


def test_rubbish_where_json_should_be_is_said(tmp_path: Path) -> None:
    run = Run(FolderStore(tmp_path), "r")
    run.store.write(run.name("plan.json"), b"{")
    with pytest.raises(StoreError, match="not what Clausule wrote"):
        run.read("plan.json", dict)


WRITER = """
import sys
from pathlib import Path
from agent.files import write_file
path, size = Path(sys.argv[1]), 200_000
while True:
    for letter in b"abcdefgh":
        write_file(path, bytes([letter]) * size)
"""


def test_killed_at_any_moment_a_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    write_file(path, b"0" * 200_000)
    for attempt in range(12):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)])
        time.sleep(0.15 + attempt * 0.011)
        process.send_signal(signal.SIGKILL)
        process.wait()
        data = path.read_bytes()
        assert len(data) == 200_000
        assert len(set(data)) == 1
    assert FolderStore(tmp_path).names("") == ["manifest.json"], "what a killed writer left must not be listed"


def test_a_full_or_closed_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plan.json"
    write_file(path, b"old")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["plan.json"]
