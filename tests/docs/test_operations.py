"""docs/operations.md explains every message that the agent can show to an operator."""

import re
import unittest

import sentences

# Strings that are not messages, with their purpose.
NO_MESSAGE = {
    "dispatch failure": "compared with what the SDK says",
    "io error": "compared with what the SDK says",
    "an error occurred while loading credentials": "compared with what the SDK says",
    "request has timed out": "compared with what the SDK says",
    "response error": "compared with what the SDK says",
    "does not belong to you": "compared with what EC2 says",
    "not assigned to interface": "compared with what EC2 says",
    "within the subnet's address range": "compared with what EC2 says",
    "permission to access the specified resource": "compared with what EC2 says",
    "HTTP read timeout": "compared with what the SDK says",
    "HTTP connect timeout": "compared with what the SDK says",
    "tunnel error": "compared with what the SDK says",
    "tunnel error: failed to create": "compared with what the SDK says",
    "identity resolver timed out": "compared with what the SDK says",
    "error parsing XML": "compared with what the SDK says",
    "-----BEGIN TRUSTED CERTIFICATE-----": "read in a file",
    "-----END TRUSTED CERTIFICATE-----": "read in a file",
    "-----BEGIN CERTIFICATE-----": "given to the TLS library",
    "-----END CERTIFICATE-----": "given to the TLS library",
    "{what} of profile {profile}": "part of the name of a source",
    "the environment, source": "part of the name of a source",
    "already been assigned": "compared with what EC2 says",
    "Use CreateRoute": "compared with what EC2 says",
    "the address": "stands for the address if that is not known",
    "request id": "added to a line in the log, before EC2's own",
}


def spans(text: str) -> str:
    """The code spans of a document, one on each line: only these quote messages as they are printed."""
    return "\n".join(re.findall(r"`([^`\n]+)`", text))


def operations() -> str:
    return (sentences.ROOT / "docs/operations.md").read_text()


def undocumented(found: list[sentences.Sentence]) -> list[str]:
    """The messages that no document explains, each with its file and line. The table of exit codes explains its own scopes."""
    explained = spans(operations()) + (sentences.ROOT / "docs/behaviour.md").read_text()
    told = [one for one in found if one.text not in NO_MESSAGE]
    return [f"{one.where}: {one.text}" for one in told if not one.pattern().search(explained)]


class Operations(unittest.TestCase):
    def test_every_sentence_is_explained(self):
        found = sentences.all_sentences()
        self.assertGreater(len(found), 100, "the scan of the sources finds too little to mean anything")
        missing = undocumented(found)
        self.assertEqual(missing, [], "not in docs/operations.md:\n  " + "\n  ".join(missing))

    def test_the_scan_sees_what_it_has_to_see(self):
        seen = {one.text for one in sentences.all_sentences()}
        for expected in (
            "private_ip_address {wanted} is not on {interface} ({mac})",
            "{name}={value}: expected {expected}",
            "{operation} {object}: {answer}",
            "state file {} not used: {reason}",
            "{name} may still be {held} this node: {error}",
            "no connection{to}: {deepest}",
        ):
            self.assertIn(expected, seen)

    def test_a_new_sentence_is_missed(self):
        source = """
            //! A comment with "words in quotes" and an apostrophe: isn't.
            fn f(c: char) { if c == '"' { self.log.trace(format_args!("{x} is only traced")); } }
            fn g() { log.warn(format_args!("the moon is in the way of {address}: \\
                     wait until {time}")); }
            #[cfg(test)]
            mod tests { fn h() { panic!("never seen by an operator"); } }
        """
        found = sentences.sentences_of(source, "src/new.rs")
        self.assertEqual([one.text for one in found], ["the moon is in the way of {address}: wait until {time}"])
        self.assertEqual(len(undocumented(found)), 1)

    def test_exceptions_are_still_needed(self):
        seen = {one.text for one in sentences.all_sentences()}
        self.assertEqual([text for text in NO_MESSAGE if text not in seen], [])

    def test_silent_files_are_there(self):
        known = {name for file in (sentences.ROOT / "src").rglob("*.rs") for name in sentences.names_of(file)}
        self.assertEqual(set(sentences.SILENT) - known, set())

    def test_every_exit_code_is_explained(self):
        source = (sentences.ROOT / "src/ocf/exit.rs").read_text()
        codes = re.findall(r"^    \w+ = (\d+),$", source, re.MULTILINE)
        self.assertEqual(len(codes), 8)
        rows = re.findall(r"^\| (\d) \|", operations(), re.MULTILINE)
        self.assertEqual(sorted(set(rows)), sorted(codes))

    def test_the_timeouts_are_those_of_the_meta_data(self):
        source = (sentences.ROOT / "src/ocf/agent.rs").read_text()
        advised = dict(re.findall(r'always\("([\w-]+)", (\d+)\)', source))
        self.assertGreater(len(advised), 5)
        document = operations()
        table = document[document.index("| operation | timeout |") : document.index("pcs copies these")]
        told = {}
        for names, seconds in re.findall(r"^\| (`[^|]+`) \| (\d+)s", table, re.MULTILINE):
            told.update({name: seconds for name in re.findall(r"`([\w-]+)`", names)})
        for name, seconds in told.items():
            # reload-agent, which only the newer meta-data has, is written differently in the source.
            self.assertEqual(advised.get(name, "20"), seconds, name)
        self.assertEqual(set(advised) - set(told), {"meta-data"})


if __name__ == "__main__":
    unittest.main()
