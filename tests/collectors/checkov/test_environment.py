"""Checkov's own environment: made whole or not at all. The lock here names a tiny package of ours instead."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest

from agent.errors import AuditError
from collectors.checkov import _environment as environment


def wheel(folder: Path, script: str = "checkov") -> Path:
    """A wheel called checkov, with one command that greets."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "checkov-1.0-py3-none-any.whl"
    info = "checkov-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("checkov_greets.py", "def main():\n    print('hello')\n")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: checkov\nVersion: 1.0\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/entry_points.txt", f"[console_scripts]\n{script} = checkov_greets:main\n")
        file.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock file that installs the wheel, without an index, into a folder of the test's."""
    path = tmp_path / "requirements.lock"
    monkeypatch.setattr(environment, "LOCK", path)
    monkeypatch.delenv(environment.HOME_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_lock(path, wheel(tmp_path / "wheels"))
    return path


def write_lock(path: Path, package: Path, digest: str = "") -> None:
    digest = digest or hashlib.sha256(package.read_bytes()).hexdigest()
    path.write_text(f"--no-index\n--find-links {package.parent}\ncheckov==1.0 --hash=sha256:{digest}\n")


def greeting(command: Path) -> str:
    return subprocess.run([command], capture_output=True, text=True, check=True).stdout.strip()


def test_it_is_made_once_and_found_again(lock: Path, tmp_path: Path) -> None:
    steps: list[str] = []
    assert environment.find() is None
    command = environment.install(steps.append)
    assert greeting(command) == "hello"
    assert len(steps) == 2
    assert environment.find() == command
    assert environment.install(steps.append) == command
    assert len(steps) == 2
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    assert environment.home() == tmp_path / "cache" / "clausule" / f"checkov-{digest[:12]}"


@pytest.mark.slow
def test_it_is_made_with_pip_where_there_is_no_uv(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_uv", lambda: None)
    assert greeting(environment.install(lambda _: None)) == "hello"


def test_another_lock_makes_another_environment(lock: Path) -> None:
    first = environment.install(lambda _: None)
    lock.write_text(lock.read_text() + "# renewed\n")
    assert environment.find() is None
    assert environment.install(lambda _: None) != first


def test_a_chosen_folder_is_made_anew_for_another_lock(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(environment.HOME_VARIABLE, str(tmp_path / "chosen"))
    command = environment.install(lambda _: None)
    assert command == tmp_path / "chosen" / "bin" / "checkov"
    lock.write_text(lock.read_text() + "# renewed\n")
    assert environment.find() is None
    assert environment.install(lambda _: None) == command


def test_an_interrupted_installation_does_not_count(lock: Path) -> None:
    command = environment.install(lambda _: None)
    next(path for path in environment.home().iterdir() if path.name.startswith("clausule")).unlink()
    assert command.exists()
    assert environment.find() is None
    assert greeting(environment.install(lambda _: None)) == "hello"


def test_a_package_that_is_not_the_pinned_one_is_refused(lock: Path, tmp_path: Path) -> None:
    write_lock(lock, tmp_path / "wheels" / "checkov-1.0-py3-none-any.whl", digest="0" * 64)
    with pytest.raises(AuditError, match="Checkov could not be installed: .*; check the network and the package index"):
        environment.install(lambda _: None)
    assert environment.find() is None


def test_an_environment_without_the_command_is_refused(lock: Path, tmp_path: Path) -> None:
    write_lock(lock, wheel(tmp_path / "wheels", script="other"))
    with pytest.raises(AuditError, match="its command is not there"):
        environment.install(lambda _: None)


def test_a_folder_that_cannot_be_written_is_refused(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(environment.HOME_VARIABLE, str(tmp_path / "file" / "checkov"))
    with pytest.raises(AuditError, match="set CLAUSULE_CHECKOV_HOME to a folder that you may write"):
        environment.install(lambda _: None)


def test_the_shipped_lock_pins_everything_by_hash_and_names_no_index() -> None:
    text = (Path(environment.__file__).parent / "requirements.lock").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert any(line.startswith("checkov==") for line in lines)
    assert all("==" in line and line.endswith("\\") for line in lines)
    assert "://" not in text
