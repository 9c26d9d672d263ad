"""The command line: help, and one clear line for everything that a user can get wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from agent.config import parse
from agent.errors import DocumentError
from agent.run import choose
from tests.estate.demo import CLAUSULE

ROOT = Path(__file__).parent.parent
SECRETS = {
    "aws: {secret_access_key: hunter2hunter2}": "aws.secret_access_key",
    "aws: {profiles: [AKIAIOSFODNN7EXAMPLE]}": "aws.profiles[0]",
    "store: s3://key:hunter2hunter2@bucket/x": "store",
    "kubernetes: {token: hunter2hunter2}": "kubernetes.token",
    "agreement: eyJhbGciOiJIUzI1NiJ9.hunter2hunter2.x": "agreement",
    "params: {x: {password: hunter2hunter2}}": "params.x.password",
    "agreement: |\n  -----BEGIN RSA PRIVATE KEY-----\n  hunter2hunter2": "agreement",
}


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`clausule` in a folder, without credentials of anybody's."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "KUBE", "CLAUSULE_"))}
    home = {"HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true"}
    return subprocess.run(
        [CLAUSULE, *arguments],
        cwd=folder,
        env={**clean, **home, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def refused(folder: Path, *arguments: str, code: int = 64, **environment: str) -> str:
    """The one line that a wrong use gets; nothing was written."""
    before = sorted(path.name for path in folder.rglob("*"))
    done = run(folder, *arguments, **environment)
    assert done.returncode == code, (done.stdout, done.stderr)
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("clausule: ")
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in folder.rglob("*")) == before, "something was written"
    return done.stderr


def configured(folder: Path, text: str) -> Path:
    (folder / "clausule.yaml").write_text(text, encoding="utf-8")
    return folder


def test_every_command_has_help_and_is_documented() -> None:
    reference = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    listed = run(ROOT, "--help").stdout.split("Commands:")[1]
    for name in re.findall(r"^  (\w+)", listed, re.MULTILINE):
        done = run(ROOT, name, "--help")
        assert done.returncode == 0
        assert "Usage:" in done.stdout
        assert f"## clausule {name}" in reference


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, tmp_path: Path) -> None:
    assert "_CLAUSULE_COMPLETE" in run(tmp_path, "completion", shell).stdout


def test_nothing_configured_is_not_a_clean_report(tmp_path: Path) -> None:
    line = refused(tmp_path, "audit", code=3)
    assert "nothing is configured" in line
    assert "clausule init" in line


def test_a_directory_without_anything_to_judge_is_not_a_clean_report(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = run(tmp_path, "audit", "--iac", "empty", "-q", HOME=str(Path.home()))
    assert done.returncode == 3, done.stderr
    assert "nothing to assess" in done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("aws: {regions: [eu-wset-1]}", ["eu-wset-1", "did you mean", "eu-west-1"]),
        ("aws: {rgions: []}", ["clausule.yaml:1", "aws.rgions", "did you mean 'regions'?"]),
        ("awz: {}", ["clausule.yaml:1", "awz", "did you mean 'aws'?"]),
        ("version: 2", ["clausule.yaml:1", "version"]),
        ("aws: {\nregions: [", ["clausule.yaml", "not valid YAML"]),
        ("- a", ["clausule.yaml:1", "mapping", "clausule init"]),
        ("", ["clausule.yaml", "empty"]),
        ("agreement: NO\naws: {}", ["clausule.yaml:1", "agreement", "quotes"]),
        ("reading_3_13: loose\naws: {}", ["clausule.yaml:1", "reading_3_13", "loose", "chapter_v, literal_eu"]),
        (
            "params: {no-such-policy: {x: 1}}\naws: {}",
            ["clausule.yaml:1", "params.no-such-policy", "clausule policy list"],
        ),
        ("params: {rds-backup-retention: {dayz: 1}}\naws: {}", ["clausule.yaml:1", "params.rds-backup-retention.dayz"]),
        ("params: {drill-current: {drill_max_age_days: x}}\naws: {}", ["clausule.yaml:1", "drill_max_age_days", "365"]),
        (
            "waivers: [{policy: x, resource: y, reason: z, approver: a, expires: soon}]",
            ["clausule.yaml:1", "waivers[0].expires", "YYYY-MM-DD"],
        ),
        (
            "waivers: [{policy: x, resource: y, reason: z, approver: a, expires: 2027-13-45}]",
            ["clausule.yaml:1", "waivers[0].expires", "YYYY-MM-DD"],
        ),
        (
            "waivers: [{policy: x, resource: y, reason: '', approver: a, expires: 2027-01-31}]",
            ["clausule.yaml:1", "waivers[0].reason", "is empty"],
        ),
        ("kubernetes: {contexts: production}", ["clausule.yaml:1", "kubernetes.contexts", "as a list"]),
        ("store: clausule.yaml\naws: {}", ["store", "is a file"]),
        ("store: ftp://x\naws: {}", ["ftp://x", "s3://"]),
        ("policies: [nowhere]\naws: {}", ["nowhere", "not a directory"]),
        ("checkov: {directories: [nowhere]}", ["nowhere"]),
        ("registers: {transfer: [nowhere.yaml]}", ["nowhere.yaml"]),
        ("kubernetes: {kubeconfig: nowhere}", ["nowhere"]),
        ("aws: {endpoint_url: 'http://127.0.0.1:1'}", ["127.0.0.1:1"]),
        ("aws: {profiles: [nobody]}", ["nobody"]),
        ("aws: {}", ["credentials"]),
    ],
)
def test_bad_configuration(tmp_path: Path, text: str, words: list[str]) -> None:
    keys = (
        {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        if "endpoint" in text or "regions" in text
        else {}
    )
    line = refused(configured(tmp_path, text), "audit", AWS_DEFAULT_REGION="eu-west-1", AWS_MAX_ATTEMPTS="1", **keys)
    for word in words:
        assert word in line


@pytest.mark.parametrize(("text", "key"), SECRETS.items())
def test_a_secret_in_the_configuration_is_refused_unseen(tmp_path: Path, text: str, key: str) -> None:
    line = refused(configured(tmp_path, text), "audit")
    assert key in line
    assert "looks like a secret" in line
    assert "credential chain" in line
    assert "hunter2" not in line
    assert "AKIA" not in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["audti"], ["audti"]),
        (["audit", "--clause", "3.31"], ["3.31", "did you mean"]),
        (["audit", "--format", "htlm"], ["htlm", "did you mean 'html'?"]),
        (["audit", "--as-of", "yesterday"], ["yesterday", "YYYY-MM-DD"]),
        (["audit", "--as-of", "9999-12-31T23:59:59-05:00"], ["9999", "YYYY-MM-DD"]),
        (["audit", "--as-of", "1815-06-18"], ["1815", "YYYY-MM-DD"]),
        (["audit", "--clause", "3.1"], ["no policy judges clause 3.1"]),
        (["audit", "--store", "https://u:hunter2hunter2@127.0.0.1:1/x"], ["--store", "looks like a secret"]),
        (["audit", "--resume", "x", "--clause", "3.6"], ["--resume", "leave the others out"]),
        (["audit", "--metrics-file", "clausule.yaml/x"], ["--metrics-file", "clausule.yaml"]),
        (["audit", "--output", "clausule.yaml/x"], ["--output", "clausule.yaml"]),
        (["audit", "--language", "es"], ["es"]),
        (["audit", "-c", "nowhere.yaml"], ["nowhere.yaml", "no such file"]),
        (["audit", "--iac", "nowhere"], ["nowhere"]),
        (["policy", "show", "s3-bucket-versionin"], ["did you mean"]),
        (["tables", "aws_s3_buckett"], ["did you mean 'aws_s3_bucket'?"]),
    ],
)
def test_bad_use(tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    text = "" if arguments[0] != "audit" or "nowhere" in arguments[-1] else "aws: {}"
    folder = configured(tmp_path, text) if text else tmp_path
    line = refused(folder, *arguments)
    for word in words:
        assert word in line


@pytest.mark.parametrize("arguments", [["report"], ["evaluate", "nope"], ["audit", "--resume", "nope"]])
def test_a_run_that_is_not_there(tmp_path: Path, arguments: list[str]) -> None:
    assert "holds no" in refused(tmp_path, *arguments, code=3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("object_ownership = 'B", "object_ownershp = 'B"), ["pass", "did you mean 'object_ownership'?"]),
        (
            ("pass: object_ownership = 'BucketOwnerEnforced'", "pass: object_ownership"),
            ["pass", "VARCHAR, not BOOLEAN"],
        ),
        (("pass: object_ownership = 'BucketOwnerEnforced'", "pass: 'true; DROP TABLE x'"), ["pass"]),
        (("pass: object_ownership = 'BucketOwnerEnforced'", "pass: NO"), ["pass", "quotes"]),
        (("pass: object_ownership = 'BucketOwnerEnforced'", "pass: account_id > 5"), ["pass", "does not work"]),
        (("clauses: [3.2.d]", "clauses: [3.2.z]"), ["clauses[0]", "3.2.z"]),
        (("clauses: [3.2.d]", "clauses: []"), ["clauses"]),
        (("table: aws_s3_bucket", "table: aws_s3_bukket"), ["table", "did you mean 'aws_s3_bucket'?"]),
        (("severity: medium", "severity: mild"), ["severity", "mild"]),
        (("expect: fail", "expect: pass"), ["examples", "none expects fail"]),
        (("id: mine", "id: yours"), ["id", "yours.yaml"]),
        (("title:", "titel:"), ["titel", "did you mean 'title'?"]),
        (("given: {object_ownership: ObjectWriter}", "given: {object_ownership: 5}"), ["examples[1].given"]),
    ],
)
def test_a_bad_policy_is_refused_with_file_line_and_key(
    tmp_path: Path, change: tuple[str, str], words: list[str]
) -> None:
    text = re.search(r"```yaml\n(id: .*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    assert text
    mine = text[1].replace("id: s3-bucket-owner-enforced", "id: mine")
    assert change[0] in mine
    (tmp_path / "mine.yaml").write_text(mine.replace(*change), encoding="utf-8")
    line = refused(tmp_path, "policy", "test", "mine.yaml")
    assert re.match(r"clausule: mine\.yaml:\d+: ", line), line
    for word in words:
        assert word in line


def test_duplicate_policy_ids_name_both_files(tmp_path: Path) -> None:
    source = next((ROOT / "policies").rglob("*.yaml"))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / source.name).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    line = refused(tmp_path, "policy", "test", "a", "b")
    assert f"a/{source.name}" in line
    assert f"b/{source.name}" in line


def test_a_directory_without_policies_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    assert "holds no policy" in refused(configured(tmp_path, "policies: [mine]\naws: {}"), "audit")


def test_a_policy_of_ones_own_whose_examples_fail_is_refused(tmp_path: Path) -> None:
    text = re.search(r"```yaml\n(id: .*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    assert text
    folder = configured(tmp_path, "policies: [mine]\naws: {}")
    (folder / "mine").mkdir()
    broken = text[1].replace("pass: object_ownership = 'BucketOwnerEnforced'", "pass: object_ownership <> ''")
    (folder / "mine" / "s3-bucket-owner-enforced.yaml").write_text(broken, encoding="utf-8")
    line = refused(folder, "audit")
    assert "mine/s3-bucket-owner-enforced.yaml" in line
    assert "expected fail, found pass" in line


def test_verifying_nothing_is_no_clean_answer(tmp_path: Path) -> None:
    assert "no finished run to verify" in refused(tmp_path, "runs", "--verify", code=3)


def test_a_closed_pipe_does_not_read_as_a_verdict(tmp_path: Path) -> None:
    command = f"{CLAUSULE} policy list | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["/bin/bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() in ("0", "3")


def test_init_writes_a_configuration_that_loads(tmp_path: Path) -> None:
    assert run(tmp_path, "init").returncode == 0
    text = (tmp_path / "clausule.yaml").read_text(encoding="utf-8")
    assert parse(text, "clausule.yaml").sources == {}
    sections = text.split("# --- How to judge")[0]
    switched_on = re.sub(r"(?m)^# ?(?=((aws|kubernetes|checkov|registers):|  ))", "", sections)
    switched_on = re.sub(r"(?m)^  # ", "  ", switched_on)
    assert set(parse(switched_on, "clausule.yaml").sources) == {"aws", "kubernetes", "checkov", "registers"}
    judging = re.sub(r"(?m)^# ?", "", text.split("policies: []")[1].split("# Thresholds")[1].split("\n", 1)[1])
    everything = parse("\n".join(line for line in judging.splitlines() if not line[:1].isupper()), "clausule.yaml")
    assert choose(everything, ())
    assert "is there already" in run(tmp_path, "init").stderr
    assert (tmp_path / "clausule.yaml").read_text(encoding="utf-8") == text
    assert run(tmp_path, "init", "--force").returncode == 0


def test_plan_needs_no_network_and_names_read_only_permissions(tmp_path: Path) -> None:
    done = run(tmp_path, "plan", "--all", "--json")
    assert done.returncode == 0, done.stderr
    for permission in json.loads(done.stdout)["permissions"]["aws"]:
        assert re.match(r"[a-z0-9-]+:(Get|List|Describe)", permission)
    for permission in json.loads(done.stdout)["permissions"]["kubernetes"]:
        assert permission.endswith(":list")
        assert "secrets" not in permission


def test_help_is_quick_to_import() -> None:
    """What is heavy stays inside commands; the time itself is measured in the benchmarks."""
    heavy = {"duckdb", "boto3", "kubernetes", "rich", "jinja2", "yaml"}
    probe = f"import sys, agent.cli; print(sorted(set(sys.modules) & {heavy}))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_secrets_are_looked_for_in_every_value() -> None:
    with pytest.raises(DocumentError, match=r"a\.b\[1\]"):
        parse(yaml.safe_dump({"a": {"b": ["x", "https://user:pass@host/"]}}), "x")
