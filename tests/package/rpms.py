"""Builds RPMs for the tests: eip itself with other releases, and stand-ins for the packages of a distribution.

The stand-ins provide what CentOS 7 provides, so an RPM that installs beside them requires nothing newer.
"""

import shutil
from pathlib import Path

from machine import ARCH, SOURCES, packages, run, version

PARTS = {"eip": ARCH, "eip-heartbeat": "noarch", "eip-keepalived": "noarch"}
# The symbol versions of glibc 2.17, by library.
GLIBC_2_17 = {
    "libc.so.6": "2.2.5 2.2.6 2.3 2.3.2 2.3.3 2.3.4 2.4 2.5 2.6 2.7 2.8 2.9 2.10 2.11 2.12 2.13 2.14 2.15 2.16 2.17",
    "libm.so.6": "2.2.5 2.4 2.15",
    "libpthread.so.0": "2.2.5 2.2.6 2.3.2 2.3.3 2.3.4 2.4 2.11 2.12",
    "libdl.so.2": "2.2.5 2.3.3 2.3.4",
    "librt.so.1": "2.2.5 2.3.3 2.3.4 2.4 2.7",
    "ld-linux-x86-64.so.2": "2.2.5 2.3 2.4",
}
# The first glibc for aarch64 was 2.17.
if ARCH == "aarch64":
    GLIBC_2_17 = dict.fromkeys([*GLIBC_2_17, "ld-linux-aarch64.so.1"], "2.17")
# Log their calls, and do nothing.
RECORDER = "#!/bin/sh\necho \"${0##*/} $*\" >>/var/log/asked\n"


def eip(part: str = "eip", release: int = 1) -> Path:
    """The package as `make rpm` left it."""
    path = packages() / f"{part}-{version()}-{release}.{PARTS[part]}.rpm"
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: run `make rpm`")
    return path


def eip_release(binary: Path, release: int, folder: Path) -> dict[str, Path]:
    """Builds the packages again, with another binary and another release."""
    made = run("sh", "packaging/rpm", folder, binary, environment={"RELEASE": str(release)}, cwd=SOURCES).stdout.split()
    return {Path(path).name.rsplit("-", 2)[0]: Path(path) for path in made}


def stub(name: str, folder: Path, files: dict[str, str | Path] | None = None, provides: list[str] | None = None) -> Path:
    """Builds a package with these files, each with a text or as a copy of one of this machine, and these provides."""
    work = folder / f"stub-{name}"
    tree = work / "tree"
    for path, content in (files or {}).items():
        to = tree / path.lstrip("/")
        to.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copy(content, to)
        else:
            to.write_text(content)
        to.chmod(0o755)
    tree.mkdir(parents=True, exist_ok=True)
    spec = work / f"{name}.spec"
    spec.write_text(
        f"Name: {name}\nVersion: 1\nRelease: 1\nSummary: stand-in\nLicense: none\nAutoReqProv: no\n"
        + "".join(f"Provides: {one}\n" for one in provides or [])
        + f"%description\nA stand-in.\n%install\ncp -a {tree}/. %{{buildroot}}/\n%files\n"
        + "".join(f"{path}\n" for path in files or {})
    )
    # If they were stripped or compressed, they would no longer be this machine's files.
    definitions = {"_topdir": work, "_rpmdir": folder, "_rpmfilename": f"{name}.rpm", "__os_install_post": "%{nil}", "debug_package": "%{nil}"}
    run("rpmbuild", "-bb", *(word for name, value in definitions.items() for word in ("--define", f"{name} {value}")), spec)
    return folder / f"{name}.rpm"


def machine_files(*programs: str) -> dict[str, Path]:
    """Programs of this machine, with the loader and the libraries that they need, by the paths at which those are looked up."""
    found: dict[str, Path] = {}
    for program in programs:
        for line in run("ldd", program).stdout.splitlines():
            words = line.split()
            path = words[2] if "=>" in words else words[0]
            if path.startswith("/"):
                found[path] = Path(path).resolve()
    return found


def distribution(folder: Path, agent: Path) -> dict[str, Path]:
    """Builds stand-ins for what the packages may meet: those that they need, and those whose files they must not touch."""
    shell = shutil.which("dash") or shutil.which("sh")
    glibc = [f"{library}()(64bit)" for library in GLIBC_2_17]
    glibc += [f"{library}(GLIBC_{one})(64bit)" for library, all in GLIBC_2_17.items() for one in all.split()]
    systemd = {"/usr/bin/systemctl": RECORDER, "/usr/bin/systemd-tmpfiles": RECORDER}
    return {
        "glibc": stub("glibc", folder, machine_files(shell, str(agent)), [*glibc, "rtld(GNU_HASH)"]),
        "bash": stub("bash", folder, {"/bin/sh": Path(shell).resolve()}),
        "systemd": stub("systemd", folder, systemd),
        "pacemaker": stub("pacemaker", folder),
        "resource-agents": stub("resource-agents", folder, dict.fromkeys(resource_agents(), "of resource-agents\n")),
    }


def resource_agents() -> list[str]:
    """The files of this machine's resource-agents, and the paths that an RPM of it uses for those that Debian has elsewhere."""
    if shutil.which("dpkg") and not run("dpkg", "-L", "resource-agents", ok=False).returncode:
        lines = run("dpkg", "-L", "resource-agents").stdout.splitlines()
    else:
        lines = run("rpm", "-ql", "resource-agents").stdout.splitlines()
    files = [path for path in lines if path.startswith("/") and not Path(path).is_dir()]
    pages = [path for path in files if "/man/" in path]
    assert any(path.endswith("/heartbeat/awseip") for path in files), "these are not the files of resource-agents"
    # Some are compressed in one distribution and not in another.
    return sorted({*files, *(path.removesuffix(".gz") for path in pages)})
