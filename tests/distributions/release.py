"""The systems of a release of Debian, in folders of their own, that lie on top of each other.

    base        what debootstrap makes
    build       and what packages are built with
    site        on top of base: httpd, the Pythons, Django and Flask, as a site has them
    shared      /shared of all of them: the source, and the packages that are made of it
"""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENTER = ROOT / "tests" / "distributions" / "enter"
RELEASES = ("bookworm", "trixie", "sid")
BUILD_NEEDS = ["build-essential", "debhelper", "lintian"]
SITE_NEEDS = ["apache2", "media-types", "procps", "python3-django", "python3-flask"]


def fail(sentence):
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {sentence}")


def say(sentence):
    print(sentence, file=sys.stderr, flush=True)


def check_call(command, **options):
    """What the command says; it is shown if the command fails, which ends this program."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            **options)
    if result.returncode != 0:
        say(result.stdout[-6000:])
        fail(f"{' '.join(map(str, command[:8]))} ended with {result.returncode}")
    return result.stdout


def mirror(label):
    """Where this machine's own packages of that label come from."""
    sites = check_call(["apt-get", "indextargets", "--format", "$(LABEL) $(SITE)",
                        "Created-By: Packages", f"Label: {label}"]).split()
    if len(sites) < 2:
        fail(f"apt has no source of {label} here, so no mirror is known")
    return sites[1]


class Release:
    """A release: its systems, and the packages that are built in one of them."""

    def __init__(self, name, roots):
        self.name = name
        self.folder = roots / name
        self.base = self.folder / "base"
        self.packages = self.folder / "shared" / "packages"

    def enter(self, lower, upper, *command):
        below = ":".join(str(each) for each in lower)
        return [ENTER, below, upper, self.folder / "shared", *command]

    def make(self):
        if (self.folder / "complete").exists():
            return
        say(f"{self.name}: debootstrap")
        shutil.rmtree(self.base, ignore_errors=True)
        # What it mounts is gone with it, however it ends.
        check_call(["unshare", "--mount", "--propagation", "private",
                    "debootstrap", "--variant=minbase", "--include=ca-certificates", self.name,
                    self.base, mirror("Debian")])
        if self.name != "sid":
            sources = self.base / "etc/apt/sources.list.d/security.list"
            sources.write_text(f"deb {mirror('Debian-Security')} {self.name}-security main\n")
        # A mirror that lags behind will do.
        options = self.base / "etc/apt/apt.conf.d/90lagging"
        options.write_text('Acquire::Check-Valid-Until "false";\n')
        # Services are started by the tests.
        policy = self.base / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        (self.folder / "complete").touch()

    def install(self, layer, packages):
        say(f"{self.name}: packages of the system {layer}")
        script = ("dpkg --configure -a && "  # the last time may have been interrupted
                  'apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"')
        check_call(self.enter([self.base], self.folder / layer, "sh", "-c", script, "sh", *packages))

    def copy_source(self):
        """What git knows of, as it is now."""
        source = self.folder / "shared" / "source"
        shutil.rmtree(source, ignore_errors=True)
        source.mkdir(parents=True)
        files = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others",
                                "--exclude-standard"], stdout=subprocess.PIPE, check=True).stdout
        for name in map(os.fsdecode, filter(None, files.split(b"\0"))):
            if (ROOT / name).exists():
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, source / name)

    def build_packages(self, options):
        """With DEB_BUILD_OPTIONS of Debian's policy."""
        self.install("build", BUILD_NEEDS)
        say(f"{self.name}: building")
        check_call(self.enter([self.base], self.folder / "build", "env",
                              f"DEB_BUILD_OPTIONS={options}", "/shared/source/scripts/package",
                              "--output", "/shared/packages"))

    def warnings(self):
        """What the compiler has to say of the packages."""
        return re.findall(r"^(?:\S+:\d+:\d+|cc1plus): warning: .*",
                          (self.packages / "build.log").read_text(), re.M)

    def compiler(self):
        """Such as "GNU 14.2.0"."""
        log = (self.packages / "build.log").read_text()
        return re.search(r"The CXX compiler identification is (.+)", log).group(1)

    def pythons(self):
        """The versions that there are packages for."""
        names = "\n".join(each.name for each in self.packages.iterdir())
        return sorted(re.findall(r"^pyhost-python(3\.\d+)_.*\.deb$", names, re.M),
                      key=lambda version: int(version[2:]))

    def make_site(self):
        self.install("site", SITE_NEEDS + [f"python{version}-venv" for version in self.pythons()])

    @contextlib.contextmanager
    def throwaway(self):
        """A folder for a system that nobody needs afterwards."""
        upper = pathlib.Path(tempfile.mkdtemp(dir=self.folder, prefix="test."))
        try:
            yield upper
        finally:
            shutil.rmtree(upper)
