"""Repositories of a release, served on loopback: bare roots install eip by its repository line, run it, and upgrade it."""

import fcntl
import functools
import http.server
import re
import shutil
import threading
import unittest
from pathlib import Path

from machine import AGENT, SOURCES, built, cache, needs, run, version
from roots import Root
from rpms import distribution
from throwaway import place, twice

NEXT = "99.0.0"
BASE = "base"
# The proxies through which this machine gets its packages.
DIRECTLY = {"no_proxy": "127.0.0.1"}


class Server(http.server.SimpleHTTPRequestHandler):
    """Always sends the whole file: HTTP has a resolution of one second, and a file may change twice in one."""

    def send_head(self):
        del self.headers["If-Modified-Since"]
        return super().send_head()

    def send_header(self, keyword, value):
        if keyword != "Last-Modified":
            super().send_header(keyword, value)

    def log_message(self, *_):
        pass


def serve(folder: Path) -> tuple[str, http.server.ThreadingHTTPServer]:
    """Serves a folder on a free port of loopback."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Server, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}", server


def next_version() -> Path:
    """Packages of the same agent with the next version, in the form of a release."""
    sources, dist = place() / "next", place() / "next-dist"
    run("git", "clone", "--quiet", SOURCES, sources)
    for path, old in (("Cargo.toml", f'version = "{version()}"'), ("packaging/eip.spec", f"Version:        {version()}")):
        text = (sources / path).read_text()
        assert old in text, path
        (sources / path).write_text(text.replace(old, old.replace(version(), NEXT), 1))
    for kind in ("rpm", "deb"):
        run("sh", f"packaging/{kind}", dist, built("eip"), cwd=sources)
    return dist


@functools.cache
def bare_debian() -> Path:
    """The tarball of a bare root of this machine's own release, created once in the cache."""
    form = "$(REPO_URI) $(CODENAME)"
    targets = run("apt-get", "indextargets", "--format", form, "Created-By: Packages", "Component: main", ok=False).stdout.split("\n")
    code = re.search(r"^VERSION_CODENAME=\"?(\w+)", Path("/etc/os-release").read_text(), re.MULTILINE)[1]
    sources = [target.split()[0] for target in targets if target.endswith(f" {code}")]
    if not sources:
        raise unittest.SkipTest(f"apt has no repository of {code} here")
    folder = cache() / "release"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tarball = folder / f"{code}.tar"
        if not tarball.exists():
            root, new = folder / f"{code}.new", folder / f"{code}.tar.new"
            shutil.rmtree(root, ignore_errors=True)
            # Without devices: nothing in it needs them, and not every machine may create any.
            run("debootstrap", "--variant=minbase", code, root, sources[0], limit=500)
            run("tar", "--create", "--file", new, "--exclude=./dev/*", "--exclude=./var/cache/apt/archives/*.deb", "--directory", root, ".")
            shutil.rmtree(root)
            new.rename(tarball)
    return tarball


@needs("createrepo_c", "apt-ftparchive", "gpg", "gpg-agent", "minisign", "rpmbuild", "rpm2archive", "dpkg-deb", root=True)
class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = place() / "repositories"
        cls.url, server = serve(cls.folder)
        cls.addClassCleanup(server.server_close)
        cls.addClassCleanup(server.shutdown)
        home = place() / "gnupg"
        home.mkdir(mode=0o700)
        cls.environment = {"GNUPGHOME": str(home), "GPG_KEY": "throw-away", "URL": cls.url}
        cls.addClassCleanup(run, "gpgconf", "--kill", "all", environment=cls.environment, ok=False)
        create = ("gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", "throw-away", "rsa3072", "sign", "never")
        run(*create, environment=cls.environment)
        cls.later = next_version()

    def setUp(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.add(twice()[0])

    def add(self, dist: Path):
        run("sh", SOURCES / "packaging/repositories", dist, self.folder, environment=self.environment)

    def test_a_key_that_older_systems_cannot_verify_is_refused(self):
        create = ("gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", "too-new", "ed25519", "sign", "never")
        run(*create, environment=self.environment)
        environment = {**self.environment, "GPG_KEY": "too-new"}
        done = run("sh", SOURCES / "packaging/repositories", twice()[0], self.folder, environment=environment, ok=False)
        self.assertEqual((2, 1), (done.returncode, done.stderr.count("\n")), done.stderr)
        self.assertIn("rsa3072", done.stderr)

    def assert_runs(self, root: Root):
        self.assertEqual(f"eipctl {version()}\n", root.inside("/usr/sbin/eipctl", "--version").stdout)
        self.assertTrue(root.at(AGENT).read_bytes() == built("eip").read_bytes())

    @needs("dnf")
    def test_dnf_installs_by_the_repository_file_and_upgrades(self):
        stubs = place() / "stubs"
        stubs.mkdir()
        distribution(stubs, built("eip"))
        run("createrepo_c", "--quiet", stubs)
        root = Root(place() / "root-dnf")
        repositories = root.at("/etc/yum.repos.d")
        repositories.mkdir(parents=True)
        (repositories / "base.repo").write_text(f"[{BASE}]\nname={BASE}\nbaseurl=file://{stubs}\ngpgcheck=0\n")
        shutil.copy(self.folder / "eip.repo", repositories)

        dnf = functools.partial(root.dnf, "--refresh", reposdir=repositories)
        dnf("install", "eip", "eip-keepalived")
        self.assert_runs(root)
        self.assertEqual(version(), root.rpm("--query", "--qf", "%{VERSION}", "eip").stdout)

        self.add(self.later)
        dnf("upgrade")
        for part in ("eip", "eip-keepalived"):
            self.assertEqual(NEXT, root.rpm("--query", "--qf", "%{VERSION}", part).stdout)
        self.assert_runs(root)

        # A list of packages that the key did not sign.
        metadata = self.folder / "rpm/repodata/repomd.xml"
        metadata.write_text(metadata.read_text().replace("<revision>", "<revision>1"))
        done = dnf("reinstall", "eip", ok=False)
        self.assertNotEqual(0, done.returncode, done.stdout)
        self.assertRegex(done.stderr + done.stdout, "(?i)signature|gpg")

    @needs("debootstrap", "apt-get")
    def test_apt_installs_by_the_repository_line_and_upgrades(self):
        tarball = bare_debian()
        root = Root(place() / "root-apt")
        run("tar", "--extract", "--file", tarball, "--directory", root.path)
        sources = root.at("/etc/apt/sources.list.d/eip.list")
        root.at("/etc/apt/sources.list").unlink(missing_ok=True)
        root.at("/etc/apt/keyrings").mkdir(exist_ok=True)
        shutil.copy(self.folder / "eip.asc", root.at("/etc/apt/keyrings"))
        shutil.copy(self.folder / "eip.list", sources)

        def apt(*words: str, ok: bool = True):
            # Its user for downloads could not read a folder of the test.
            command = ("apt-get", "-qq", "-o", "APT::Sandbox::User=root", *words)
            return run("chroot", root.path, *command, ok=ok, environment={"DEBIAN_FRONTEND": "noninteractive", **DIRECTLY})

        def installed(part: str) -> str:
            return root.inside("dpkg-query", "--show", "--showformat=${Version}", part).stdout

        apt("update")
        apt("install", "-y", "--no-install-recommends", "eip", "eip-heartbeat")
        self.assert_runs(root)
        self.assertEqual(f"{version()}-1", installed("eip"))

        self.add(self.later)
        apt("update")
        apt("upgrade", "-y", "--no-install-recommends")
        for part in ("eip", "eip-heartbeat"):
            self.assertEqual(f"{NEXT}-1", installed(part))
        self.assert_runs(root)

        # Downgraded, by a command that names one of the packages.
        apt("install", "-y", "--allow-downgrades", f"eip={version()}-1")
        self.assertEqual((f"{version()}-1", f"{NEXT}-1"), (installed("eip"), installed("eip-heartbeat")))

        # A list of packages that the key did not sign.
        for name in ("InRelease", "Release"):
            path = self.folder / "deb/dists/stable" / name
            path.write_text(path.read_text().replace("Origin: eip", "Origin: pie"))
        done = apt("update", "--error-on=any", ok=False)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("BADSIG", done.stderr + done.stdout)


if __name__ == "__main__":
    unittest.main()
