"""What Checkov can do wrong, by programs that stand in for it; and what users can."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from agent.config import settings
from agent.errors import UsageError
from agent.model import GapKind
from collectors.checkov import _environment
from tests.collecting import Collected, gather
from tests.collectors.checkov.conftest import Program

COUNTS = {"passed": 0, "failed": 0, "skipped": 0, "parsing_errors": 0, "resource_count": 0, "checkov_version": "3.3.30"}


def check(check_id: str, **changes: Any) -> dict[str, Any]:
    made = {
        "check_id": check_id,
        "check_name": "Ensure all is well",
        "check_result": {"result": "PASSED", "entity": {"password": ["hunter2"]}},
        "code_block": [[1, "password = hunter2"]],
        "file_path": "/main.tf",
        "file_abs_path": "",
        "file_line_range": [1, 3],
        "resource": "aws_s3_bucket.b",
    }
    return made | changes


def report(kind: str = "terraform", errors: tuple[str, ...] = (), **checks: list[dict[str, Any]]) -> dict[str, Any]:
    empty: dict[str, Any] = {"passed_checks": [], "failed_checks": [], "skipped_checks": []}
    return {"check_type": kind, "results": {**empty, **checks, "parsing_errors": list(errors)}, "summary": COUNTS}


def scan(program: Program, folder: Path, output: object, **options: Any) -> Collected:
    text = output if isinstance(output, str) else json.dumps(output)
    body = options.pop("body", f"import sys; sys.stdout.write({text!r})")
    return gather("checkov", folder.parent / "store", command=program(body), directories=[str(folder)], **options)


def only_gap(found: Collected, kind: GapKind) -> str:
    (gap,) = found.gaps
    assert (gap.kind, gap.table, gap.columns) == (kind, "checkov_result", ())
    return gap.detail


def test_one_report_several_reports_and_none_are_read(program: Program, folder: Path) -> None:
    one = report(passed_checks=[check("CKV_A")])
    two = report("kubernetes", failed_checks=[check("CKV_B", file_path="/pod.yaml", resource="Pod.default.web")])
    for output, expected in ((one, {"CKV_A"}), ([one, two], {"CKV_A", "CKV_B"}), (COUNTS, set()), ([], set())):
        found = scan(program, folder, output)
        assert found.gaps == []
        assert {row["check_id"] for row in found.rows["checkov_result"].values()} == expected


def test_only_declared_columns_are_kept(program: Program, folder: Path) -> None:
    skipped = check("CKV_A", check_result={"result": "SKIPPED", "suppress_comment": " public on purpose "})
    found = scan(
        program, folder, report(skipped_checks=[skipped], failed_checks=[check("CKV_B", file_line_range=None)])
    )
    rows = found.rows["checkov_result"]
    assert rows["CKV_A:main.tf:aws_s3_bucket.b"]["suppress_comment"] == "public on purpose"
    assert rows["CKV_B:main.tf:aws_s3_bucket.b"]["line_start"] is None
    assert "hunter2" not in found.text


def test_checks_of_the_same_address_keep_apart(program: Program, folder: Path) -> None:
    checks = [check("CKV_A", file_line_range=[9, 12]), check("CKV_A")]
    rows = scan(program, folder, report(failed_checks=checks)).rows["checkov_result"]
    assert {key: row["line_start"] for key, row in rows.items()} == {
        "CKV_A:main.tf:aws_s3_bucket.b": 1,
        "CKV_A:main.tf:aws_s3_bucket.b#2": 9,
    }


@pytest.mark.parametrize(
    ("kind", "resource", "expected"),
    [
        ("terraform", "aws_s3_bucket.b", "aws_s3_bucket"),
        ("terraform", "module.a.module.b.aws_s3_bucket.b", "aws_s3_bucket"),
        ("terraform", "data.aws_iam_policy_document.d", "data.aws_iam_policy_document"),
        ("terraform_plan", "module.a.aws_s3_bucket.b[0]", "aws_s3_bucket"),
        ("cloudformation", "AWS::S3::Bucket.Logs", "AWS::S3::Bucket"),
        ("kubernetes", "Pod.default.web", "Pod"),
    ],
)
def test_the_type_of_a_resource(program: Program, folder: Path, kind: str, resource: str, expected: str) -> None:
    rows = scan(program, folder, report(kind, passed_checks=[check("CKV_A", resource=resource)])).rows["checkov_result"]
    assert [row["resource_type"] for row in rows.values()] == [expected]


def test_files_that_did_not_parse_are_named(program: Program, folder: Path) -> None:
    names = [str(folder.resolve() / f"{number:02}.tf") for number in range(12)]
    found = scan(program, folder, report(errors=tuple(names), passed_checks=[check("CKV_A")]))
    assert len(found.rows["checkov_result"]) == 1
    detail = only_gap(found, GapKind.UNREADABLE)
    assert "12 files could not be read as code: 00.tf, 01.tf" in detail
    assert "09.tf and 2 more;" in detail


@pytest.mark.parametrize(
    "output",
    [
        "",
        "null",
        "{}",
        "[{}]",
        '{"passed": 0}',
        "Traceback (most recent call last)",
        json.dumps({**COUNTS, "failed": 3}),
        json.dumps(report())[:-5],
        json.dumps({**report(), "results": {"failed_checks": []}}),
    ],
)
def test_output_that_is_no_report_is_a_gap(program: Program, folder: Path, output: str) -> None:
    found = scan(program, folder, output)
    assert found.rows == {"checkov_result": {}}
    assert "not a report that is known" in only_gap(found, GapKind.UNEXPECTED)


def test_a_crash_is_a_gap_that_says_why(program: Program, folder: Path) -> None:
    body = "import sys; print('{}'); sys.stderr.write('one\\nout of memory\\n'); sys.exit(2)"
    assert only_gap(scan(program, folder, "", body=body), GapKind.UNEXPECTED) == "Checkov ended with 2: out of memory"


def test_a_killed_run_is_a_gap(program: Program, folder: Path) -> None:
    body = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert "ended with -9: it said nothing" in only_gap(scan(program, folder, "", body=body), GapKind.UNEXPECTED)


def test_a_run_that_takes_too_long_is_ended_with_its_workers(program: Program, folder: Path) -> None:
    note = folder.parent / "worker"
    worker = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    body = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {worker!r}])"
    started = time.monotonic()
    detail = only_gap(scan(program, folder, "", body=body, timeout_seconds=2), GapKind.TIMEOUT)
    assert "did not end within 2 s; raise checkov.timeout_seconds" in detail
    assert time.monotonic() - started < 20
    for _ in range(50):
        if not _runs(int(note.read_text())):
            return
        time.sleep(0.1)
    pytest.fail("the worker still runs")


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_checkov_gets_nothing_of_ours(program: Program, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "BC_API_KEY", "HTTPS_PROXY", "PYTHONPATH", "CKV_EXTRA"):
        monkeypatch.setenv(name, "hunter2")
    note = folder.parent / "seen.json"
    seen = "{'env': dict(os.environ), 'argv': sys.argv[1:], 'cwd': os.getcwd(), 'files': os.listdir()}"
    body = f"import json, os, sys; json.dump({seen}, open({str(note)!r}, 'w')); print({json.dumps(COUNTS)!r})"
    assert scan(program, folder, "", body=body).gaps == []
    told = json.loads(note.read_text())
    assert set(told["env"]) <= {"PATH", "HOME", "LANG", "LOG_LEVEL", "LC_CTYPE"}
    assert (told["cwd"], told["files"]) == (told["env"]["HOME"], [])
    assert f"--directory={folder.resolve()}" in told["argv"]
    assert not {"-d", "--directory", "secrets", "all"} & set(told["argv"])
    assert not Path(told["cwd"]).exists()


def test_without_checkov_there_is_a_gap_with_the_remedy(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(_environment.HOME_VARIABLE, str(tmp_path / "nowhere"))
    monkeypatch.setenv("PATH", str(tmp_path))
    found = gather("checkov", tmp_path / "store", directories=[str(folder)])
    assert "install it with: clausule checkov install" in only_gap(found, GapKind.UNSUPPORTED)


def test_checkov_on_the_path_is_found(
    program: Program, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(program(f"print({json.dumps(COUNTS)!r})")).rename(tmp_path / "checkov")
    monkeypatch.setenv(_environment.HOME_VARIABLE, str(tmp_path / "nowhere"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gather("checkov", tmp_path / "store", directories=[str(folder)]).gaps == []


def test_a_command_that_cannot_be_started_is_a_gap(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_text("#!/nowhere/at/all\n")
    path.chmod(0o755)
    found = gather("checkov", tmp_path / "store", command=str(path), directories=[str(folder)])
    assert "cannot be run: No such file or directory" in only_gap(found, GapKind.UNSUPPORTED)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"directories": ["{}/gone"]}, "/gone' does not exist; check the path"),
        ({"directories": ["{}/file"]}, "/file' is not a directory; check the path"),
        ({"command": "{}/gone"}, "checkov.command: there is no program '"),
        ({"command": "{}/file"}, "checkov.command: there is no program '"),
    ],
)
def test_what_is_not_there_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    (tmp_path / "file").write_text("")
    values = {
        key: [item.format(tmp_path) for item in value] if isinstance(value, list) else value.format(tmp_path)
        for key, value in ({"directories": ["{}"]} | change).items()
    }
    with pytest.raises(UsageError) as caught:
        gather("checkov", tmp_path / "store", **values)
    assert said in str(caught.value)
    assert caught.value.exit_code == 64
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    "given", [{"directory": ["x"]}, {"directories": "x"}, {"timeout_seconds": 0}, {"timeout_seconds": "10"}]
)
def test_wrong_settings_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="settings of checkov"):
        settings("checkov", given)


def test_a_directory_named_twice_is_one_scope(program: Program, folder: Path) -> None:
    body = f"print({json.dumps(report(passed_checks=[check('CKV_A')]))!r})"
    directories = [str(folder), f"{folder}/", f"{folder}/../{folder.name}"]
    found = gather("checkov", folder.parent / "store", command=program(body), directories=directories)
    assert len(found.rows["checkov_result"]) == 1
