"""The IAM policies in packaging/iam are valid, no wider than needed, and equal to the output of `eipctl policy`."""

import json
import os
import re
import subprocess
import unittest

import markdown
import servers

FOLDER = markdown.ROOT / "packaging/iam"
REGION, ACCOUNT, ALLOCATION = "eu-west-1", "123456789012", "eipalloc-0123456789abcdef0"
NEEDED = {"ec2:DescribeAddresses", "ec2:AssociateAddress", "ec2:DisassociateAddress"}


def filled_in(name: str) -> dict:
    """A policy with its placeholders replaced, as described in iam.md."""
    text = (FOLDER / name).read_text()
    for placeholder, value in {"REGION": REGION, "ACCOUNT": ACCOUNT, "ALLOCATION": ALLOCATION, "KEY": "cluster", "VALUE": "web"}.items():
        text = re.sub(rf"\b{placeholder}\b", value, text)
    return json.loads(text)


def printed(*options: str) -> dict:
    """Output of the built `eipctl policy`."""
    # The name in argv[0] selects eipctl.
    made = subprocess.run(
        ["eipctl", "policy", ALLOCATION, "--region", REGION, "--account", ACCOUNT, *options], executable=servers.built("eip"), env={"PATH": os.defpath},
        capture_output=True, text=True, check=False, timeout=30,
    )
    if made.returncode:
        raise AssertionError(made.stderr)
    return json.loads(made.stdout)


class Policy(unittest.TestCase):
    def test_it_allows_the_three_calls_and_nothing_else(self):
        for name in ("eip-policy.json", "eip-policy-tagged.json"):
            statements = filled_in(name)["Statement"]
            with self.subTest(name):
                self.assertEqual({action for one in statements for action in one["Action"]}, NEEDED)
                self.assertEqual({one["Effect"] for one in statements}, {"Allow"})
                for one in statements:
                    if one["Resource"] == ["*"]:
                        self.assertEqual(one["Action"], ["ec2:DescribeAddresses"], "only what EC2 can't limit")
                    for resource in one["Resource"]:
                        if "elastic-ip" in resource:
                            self.assertEqual(resource, f"arn:aws:ec2:{REGION}:{ACCOUNT}:elastic-ip/{ALLOCATION}")

    def test_no_placeholder_is_left(self):
        for name in ("eip-policy.json", "eip-policy-tagged.json"):
            self.assertNotRegex(json.dumps(filled_in(name)), r"\b[A-Z]{3,}\b")

    def test_the_trust_policy_is_for_instances(self):
        (statement,) = json.loads((FOLDER / "trust-policy.json").read_text())["Statement"]
        self.assertEqual(statement["Principal"], {"Service": "ec2.amazonaws.com"})

    def test_iam_md_explains_each_statement(self):
        text = (markdown.ROOT / "docs/iam.md").read_text()
        for statement in filled_in("eip-policy.json")["Statement"]:
            self.assertIn(f"| `{statement['Sid']}` |", text)

    def test_eipctl_policy_makes_the_same(self):
        for name, options in (("eip-policy.json", []), ("eip-policy-tagged.json", ["--tag", "cluster=web"])):
            with self.subTest(name):
                self.assertEqual(printed(*options), filled_in(name))


if __name__ == "__main__":
    unittest.main()
