"""The installed agent on the oldest supported system, CentOS 7: Linux 3.10 and glibc 2.17.

Neither runs here. strace injects the answer of such an old kernel to a younger system call, ENOSYS; what such an old loader would refuse
is read from the binary.
"""

import platform
import re
import unittest
from pathlib import Path

from machine import AGENT, built, folder, needs, run
from node import LIFE, Node, node
from roots import Root
from rpms import eip

# System calls of x86_64 by number: 313 (finit_module) came with Linux 3.8, 314 (sched_setattr) with 3.14. From 335 to 423 there are none.
YOUNGER = [*range(314, 335), *range(424, 451)]
# Those that strace may know only by name, if it is recent enough: it refuses numbers that it does not know.
YOUNGER_NAMES = [
    "cachestat", "fchmodat2", "map_shadow_stack", "futex_wake", "futex_wait", "futex_requeue", "statmount", "listmount", "lsm_get_self_attr",
    "lsm_set_self_attr", "lsm_list_modules", "mseal", "setxattrat", "getxattrat", "listxattrat", "removexattrat", "open_tree_attr",
]  # fmt: skip
# Every program makes these when it starts.
OF_THE_LOADER = {"rseq"}
# Additions of younger kernels to old system calls; an older one ignores them or answers EINVAL, which strace can't simulate.
YOUNGER_FLAGS = re.compile(
    r"\b(O_TMPFILE|EPOLLEXCLUSIVE|MAP_FIXED_NOREPLACE|MAP_SYNC|MAP_SHARED_VALIDATE|MADV_FREE|MADV_WIPEONFORK|CLONE_PIDFD|CLONE_NEWCGROUP"
    r"|MSG_ZEROCOPY|SO_ZEROCOPY|SO_INCOMING_CPU|SO_ATTACH_BPF|SO_COOKIE|IP_BIND_ADDRESS_NO_PORT|TCP_FASTOPEN_CONNECT|TCP_ULP|TCP_INQ"
    r"|PR_CAP_AMBIENT|PR_SET_VMA|F_OFD_SETLKW?|F_ADD_SEALS|RENAME_\w+|SECCOMP_\w+|NETLINK_GET_STRICT_CHK|NETLINK_EXT_ACK)\b"
)
GLIBC = (2, 17)
NO_OTHER = "only x86_64 has these numbers"


@unittest.skipUnless(platform.machine() == "x86_64", NO_OTHER)
@needs("strace", "rpm", root=True)
class Linux310(unittest.TestCase):
    def trace(self, there: Node, log: Path):
        """Makes younger system calls fail on the node, and logs all calls."""
        younger = ",".join([*map(str, YOUNGER), *(f"?{name}" for name in YOUNGER_NAMES)])
        there.prefix = ["strace", "-f", "-qq", "-v", "-o", str(log), "-e", "trace=all", "-e", f"inject={younger}:error=ENOSYS"]

    def test_a_whole_life_of_the_resource(self):
        with folder() as place, node(place) as there:
            root = Root(place / "root")
            root.unpack(eip())
            there.unpacked(root.at(AGENT), place)
            called, injected = "", set()
            for number, (code, action, environment, holds) in enumerate(LIFE):
                log = place / f"strace.{number}"
                self.trace(there, log)
                answer = there.run(action, **environment)
                self.assertEqual(code, answer.code, f"{action}: {answer.stderr}")
                self.assertEqual(holds, there.holds(), action)
                lines = log.read_text(errors="replace")
                called += lines
                injected |= set(re.findall(r"^\d+ +(\w+)\(.*\(INJECTED\)$", lines, re.MULTILINE))
        # The agent itself, and not only the loader, tried something younger and was refused: it found another way.
        self.assertTrue(injected - OF_THE_LOADER, f"only {injected} was refused")
        # strace prints the names that it knows; a younger call would be a number, and would not have been intercepted.
        self.assertEqual(set(), set(re.findall(r"\bsyscall_0x\w+", called)))
        self.assertEqual(set(), set(YOUNGER_FLAGS.findall(called)))
        self.assertIn("connect(", called)

    def test_strace_refuses_what_it_should_refuse(self):
        with folder() as place:
            log = place / "log"
            program = "import os, sys; os.getrandom(1)"
            words = ["strace", "-f", "-o", str(log), "-e", "inject=318:error=ENOSYS", "python3", "-S", "-c", program]
            self.assertIn("Function not implemented", run(*words, ok=False).stderr)
            self.assertRegex(log.read_text(), r"getrandom\(.*ENOSYS.*\(INJECTED\)")


@needs("readelf")
class Glibc217(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.read = {option: run("readelf", "--wide", option, built("eip")).stdout for option in ("-h", "-l", "-d", "-n", "-V", "--dyn-syms")}

    def test_no_symbol_is_younger(self):
        needed = {tuple(map(int, one.split("."))) for one in re.findall(r"Name: GLIBC_([0-9.]+)", self.read["-V"])}
        self.assertEqual(GLIBC, max(needed))
        # GLIBC_PRIVATE, GLIBC_ABI_DT_RELR (2.36) and the like are not numbers.
        self.assertEqual(set(), set(re.findall(r"Name: ((?!GLIBC_[0-9.]+\b)\S+)", self.read["-V"])))

    def test_weak_symbols_are_the_only_ones_without_a_version(self):
        bare = [line.split() for line in self.read["--dyn-syms"].splitlines() if " UND " in line and "@" not in line]
        strong = [words[-1] for words in bare if words[4] != "WEAK" and words[-1] != "UND"]
        self.assertEqual([], strong)

    def test_libraries_are_those_of_glibc_2_17(self):
        libraries = set(re.findall(r"\(NEEDED\).*\[(.+)\]", self.read["-d"]))
        self.assertIn("libc.so.6", libraries)
        self.assertLessEqual(libraries, {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"})
        self.assertNotRegex(self.read["-d"], "RPATH|RUNPATH")

    def test_the_loader_knows_the_format(self):
        # Relative relocations in DT_RELR need glibc 2.36; an OS/ABI of GNU needs symbols that require a younger loader.
        self.assertNotRegex(self.read["-d"], "RELR")
        self.assertRegex(self.read["-h"], r"OS/ABI: +UNIX - System V")
        self.assertRegex(self.read["-l"], r"program interpreter: (/lib64/ld-linux-x86-64\.so\.2|/lib/ld-linux-aarch64\.so\.1)\]")
        kernel = re.search(r"ABI: ([0-9.]+)", self.read["-n"])
        self.assertLessEqual(tuple(map(int, kernel[1].split("."))), (3, 10))

    def test_every_processor_of_its_architecture_can_run_it(self):
        # "x86-64-v2" and above would be listed here; only RHEL 10 may rely on them.
        self.assertNotRegex(self.read["-n"], r"x86 ISA needed:.*v[2-9]")

    def test_kernels_with_the_largest_pages_of_its_architecture_can_load_it(self):
        # RHEL 7 and 8 have pages of 64 KiB on aarch64.
        page = 0x10000 if "AArch64" in self.read["-h"] else 0x1000
        aligned = re.findall(r"^ +LOAD .* (0x[0-9a-f]+)$", self.read["-l"], re.MULTILINE)
        self.assertEqual([], [one for one in aligned if int(one, 16) % page])
        self.assertGreaterEqual(len(aligned), 2)

    def test_it_is_hardened(self):
        self.assertRegex(self.read["-h"], "Type: +DYN")
        self.assertRegex(self.read["-d"], "FLAGS_1.*NOW PIE")
        self.assertIn("GNU_RELRO", self.read["-l"])
        self.assertRegex(self.read["-l"], r"GNU_STACK +\S+ +\S+ +\S+ +\S+ +\S+ +RW ")


if __name__ == "__main__":
    unittest.main()
