"""docs/deploy: the policy of main.tf, the play with the arguments of its role, and the Containerfile, each checked with its own tools."""

import functools
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import markdown
import test_commands
import test_policy

FOLDER = markdown.ROOT / "docs/deploy"
ROLE = "collections/ansible_collections/fedora/linux_system_roles/roles/ha_cluster"


@functools.cache
def tools() -> Path:
    """The programs of requirements.txt, installed at the first call."""
    made = subprocess.run(
        ["sh", "tests/python-env", "tests/docs/requirements.txt"], cwd=markdown.ROOT, check=True, stdout=subprocess.PIPE, text=True,
    )
    return Path(made.stdout.strip()) / "bin"


def run(program: str, *arguments: str, cwd: Path = FOLDER, **variables: str) -> subprocess.CompletedProcess:
    environment = {"PATH": f"{tools()}:{os.environ['PATH']}", "HOME": str(cwd), "LC_ALL": "C.UTF-8", "ANSIBLE_GATHERING": "explicit", **variables}
    return subprocess.run(
        [tools() / program, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300,
    )


class Terraform(unittest.TestCase):
    def setUp(self):
        self.text = (FOLDER / "main.tf").read_text()

    def document(self, name: str) -> dict:
        """A JSON document in the file, with its references replaced."""
        text = re.search(rf"<<-{name}\n(.*?)\n +{name}\n", self.text, re.DOTALL)[1]
        text = text.replace("${local.ec2}", f"arn:aws:ec2:{test_policy.REGION}:{test_policy.ACCOUNT}")
        return json.loads(text.replace("${aws_eip.cluster.allocation_id}", test_policy.ALLOCATION))

    def test_the_policy_is_that_of_eipctl(self):
        self.assertEqual(self.document("POLICY"), test_policy.printed())
        self.assertIn('"arn:${data.aws_partition.current.partition}:ec2:${local.region}:${local.account}"', self.text)

    def test_the_role_is_for_instances(self):
        self.assertEqual(self.document("TRUST"), json.loads((test_policy.FOLDER / "trust-policy.json").read_text()))

    def test_it_is_hcl_and_associates_no_address(self):
        checked = run("python", "-c", "import hcl2, json; print(json.dumps(hcl2.load(open('main.tf'))))")
        self.assertEqual(checked.returncode, 0, checked.stderr)
        resources = [name.strip('"') for one in json.loads(checked.stdout)["resource"] for name in one]
        self.assertEqual(sorted(resources), ["aws_eip", "aws_iam_instance_profile", "aws_iam_role", "aws_iam_role_policy"])


class Play(unittest.TestCase):
    def setUp(self):
        """Creates a folder with the play and a role that has the arguments of the real one and does nothing."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        shutil.copy(FOLDER / "cluster.yml", self.folder)
        for name in ("meta", "tasks"):
            (self.folder / ROLE / name).mkdir(parents=True)
        shutil.copy(markdown.ROOT / "tests/docs/ha_cluster_arguments.yml", self.folder / ROLE / "meta/argument_specs.yml")
        (self.folder / ROLE / "tasks/main.yml").write_text("---\n[]\n")

    def ansible(self, program: str, *arguments: str) -> subprocess.CompletedProcess:
        return run(program, *arguments, "cluster.yml", cwd=self.folder, ANSIBLE_COLLECTIONS_PATH=str(self.folder / "collections"))

    def checked(self, **variables: object) -> subprocess.CompletedProcess:
        """Runs the part that Ansible runs whatever the tags are: the check of the arguments."""
        values = json.dumps({"vault_hacluster_password": "secret", "ansible_become": False, **variables})
        options = ("--inventory", "node1,node2", "--connection", "local", "--tags", "none-of-them", "--extra-vars", values)
        return self.ansible("ansible-playbook", *options)

    def test_ansible_lint_has_no_finding(self):
        linted = self.ansible("ansible-lint", "--offline", "--nocolor", "--strict", "--profile", "production")
        self.assertEqual(linted.returncode, 0, linted.stdout + linted.stderr)

    def test_ansible_can_parse_it(self):
        parsed = self.ansible("ansible-playbook", "--syntax-check", "--inventory", "node1,node2")
        self.assertEqual(parsed.returncode, 0, parsed.stdout + parsed.stderr)

    def test_the_role_takes_its_variables(self):
        checked = self.checked()
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        self.assertIn("Validating arguments", checked.stdout)

    def test_what_the_role_does_not_take_is_found(self):
        checked = self.checked(ha_cluster_resource_primitives=[{"id": "eip"}])
        self.assertNotEqual(checked.returncode, 0)
        self.assertIn("missing required arguments: agent", checked.stdout + checked.stderr)

    def test_its_variables_are_all_among_those_arguments(self):
        used = set(re.findall(r"^    (ha_cluster_\w+):", (FOLDER / "cluster.yml").read_text(), re.MULTILINE))
        known = re.findall(r"^      (ha_cluster_\w+):", (markdown.ROOT / "tests/docs/ha_cluster_arguments.yml").read_text(), re.MULTILINE)
        self.assertEqual(used, set(known))

    def test_its_resource_has_parameters_of_the_agent(self):
        attributes = re.search(r"instance_attrs:(.*?)meta_attrs:", (FOLDER / "cluster.yml").read_text(), re.DOTALL)[1]
        named = set(re.findall(r"- name: (\S+)", attributes))
        self.assertLessEqual({"elastic_ip"}, named)
        self.assertLessEqual(named, test_commands.parameters())


class Containerfile(unittest.TestCase):
    def test_hadolint_has_no_finding(self):
        # DL3041 requires versions of packages; here they are those of the base image's release.
        linted = run("hadolint", "--no-color", "--ignore", "DL3041", "Containerfile")
        self.assertEqual(linted.returncode, 0, linted.stdout + linted.stderr)

    def test_our_units_in_it_are_packaged(self):
        units = re.findall(r"eip[\w-]*\.service", (FOLDER / "Containerfile").read_text())
        self.assertEqual([unit for unit in units if f"/{unit} " in (markdown.ROOT / "packaging/contents").read_text()], ["eip-restore.service"])


if __name__ == "__main__":
    unittest.main()
