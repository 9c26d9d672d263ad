"""Manifests that Checkov passes over in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.checkov._unseen import unseen


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("good.yaml", "apiVersion: v1\nkind: Pod\n---\nkind: Pod\napiVersion: v1\n", False),
        ("template.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: {{ .Release.Name }}}\n", True),
        ("template.yml", "{{- if .Values.on }}\nkind: Pod\napiVersion: v1\n{{- end }}\n", True),
        ("broken.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: p\n", True),
        ("second.yaml", "apiVersion: v1\nkind: Pod\n---\na: [\n", True),
        ("date.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: 2026-02-30}\n", True),
        ("values.yaml", "a: [\n", False),
        ("kustomization.txt", "apiVersion: v1\nkind: [\n", False),
        ("binary.yaml", "apiVersion: v1\nkind: \x00\n", True),
        (".git/broken.yaml", "apiVersion: v1\nkind: [\n", False),
        ("node_modules/broken.yaml", "apiVersion: v1\nkind: [\n", False),
        ("deep/er/broken.yaml", "apiVersion: v1\nkind: [\n", True),
    ],
)
def test_a_manifest_that_does_not_parse_is_unseen(tmp_path: Path, name: str, content: str, expected: bool) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    assert list(unseen(tmp_path)) == ([name] if expected else [])


@pytest.mark.parametrize("name", ["gone.tf", "gone.yaml", "gone.json"])
def test_a_file_that_cannot_be_read_is_unseen(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to(tmp_path / "nowhere")
    assert list(unseen(tmp_path)) == [name]


def test_a_folder_that_cannot_be_read_is_unseen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    (tmp_path / "closed").mkdir()
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert list(unseen(tmp_path)) == ["closed"]
