"""installation.py BUILD_FOLDER CMAKE MODULES_FOLDER: what `cmake --install` makes below another prefix.

Every file of it is expected, and every link of an installed document leads to an installed file.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD, CMAKE, MODULES = sys.argv[1:]
PREFIX = "/opt/of its own"
DOCUMENTS = f"{PREFIX}/share/doc/mod_pyhost"


def files_below(folder):
    return {str(each.relative_to(ROOT)) for each in (ROOT / folder).rglob("*")
            if each.is_file() and "__pycache__" not in each.parts}


def expected_files():
    programs = ["pyhost-worker", "pyhost-supervisor", "pyhost-lookout", "mod_pyhost.so"]
    files = {f"{MODULES}/{name}" for name in programs}
    files |= {f"/etc/apache2/mods-available/pyhost.{suffix}" for suffix in ("load", "conf")}
    files |= {f"{PREFIX}/bin/pyhost", f"{PREFIX}/lib/systemd/system/pyhost@.service"}
    files |= {f"{PREFIX}/share/pyhost/{name}" for name in files_below("python")}
    files |= {f"{PREFIX}/share/man/man1/{page.name}" for page in ROOT.glob("share/man/*.1")}
    completions = {"pyhost.bash": "bash-completion/completions/pyhost",
                   "_pyhost": "zsh/site-functions/_pyhost",
                   "pyhost.fish": "fish/vendor_completions.d/pyhost.fish"}
    files |= {f"{PREFIX}/share/{path}" for name, path in completions.items()
              if (ROOT / "share/completions" / name).exists()}
    documents = {"README.md", "CHANGELOG.md", "LICENSE", "conf/pyhost.conf", "conf/reference.conf",
                 "conf/observing/pyhost-alerts.yml", "conf/observing/pyhost-grafana.json",
                 "packaging/systemd/apache2-pyhost.conf", "packaging/container/Containerfile"}
    documents |= files_below("docs") | {f"src/{path.parent.name}/README.md"
                                        for path in ROOT.glob("src/*/README.md")}
    source = {"CMakeLists.txt"} | files_below("cmake") | files_below("include") | files_below("src")
    files |= {f"{PREFIX}/share/pyhost/source/{name}" for name in source}
    return files | {f"{DOCUMENTS}/{name}" for name in documents}


def broken_links(folder):
    """Of all documents in `folder`, as "document: link"."""
    for document in sorted(folder.rglob("*.md")):
        for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
            path = link.partition("#")[0]
            if "://" not in link and path and not (document.parent / path).exists():
                yield f"{document.relative_to(folder)}: {link}"


def wrong_paths(folder):
    """Of files that tell other programs where the installed ones are, for a2enmod and systemd."""
    load = (folder / "etc/apache2/mods-available/pyhost.load").read_text()
    if f'LoadModule wsgi_module "{MODULES}/mod_pyhost.so"\n' not in load:
        yield f"pyhost.load does not load what is installed: {load}"
    if not load.startswith("# Conflicts: wsgi wsgi_express\n"):
        yield "pyhost.load does not tell a2enmod of mod_wsgi"
    unit = folder / PREFIX[1:] / "lib/systemd/system/pyhost@.service"
    if f'ExecStart="{PREFIX}/bin/pyhost" serve ' not in unit.read_text():
        yield "pyhost@.service does not start the installed program"


def complaints_of_systemd(folder):
    """About both units, with what is installed in `folder`: only what is in its place can be run."""
    if not shutil.which("systemd-analyze"):
        return
    places = pathlib.Path(folder, "units", "apache2.service.d")
    places.mkdir(parents=True)
    installed = str(folder / PREFIX[1:])
    unit = pathlib.Path(installed, "lib/systemd/system/pyhost@.service").read_text()
    (places.parent / "pyhost@shop.service").write_text(unit.replace(PREFIX, installed))
    (places.parent / "apache2.service").write_text("[Service]\nType=forking\nExecStart=/bin/true\n")
    shutil.copy(ROOT / "packaging/systemd/apache2-pyhost.conf", places)
    verdict = subprocess.run(
        ["systemd-analyze", "verify", "pyhost@shop.service", "apache2.service"], text=True,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{places.parent}:"}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    if verdict.returncode != 0 or verdict.stdout:
        yield f"systemd-analyze verify: {verdict.stdout}"


def main():
    complaints = []
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([CMAKE, "--install", BUILD, "--prefix", PREFIX], check=True,
                       env={**os.environ, "DESTDIR": place}, stdout=subprocess.DEVNULL)
        folder = pathlib.Path(place)
        found = {f"/{each.relative_to(folder)}" for each in folder.rglob("*") if each.is_file()}
        plugins = {each for each in found
                   if re.fullmatch(re.escape(MODULES) + r"/pyhost-cpython-3\.\d+\.so", each)}
        if not plugins:
            complaints.append("no plugin is installed")
        expected = expected_files() | plugins
        complaints += [f"{name} is not installed" for name in sorted(expected - found)]
        complaints += [f"{name} is installed, but not expected" for name in sorted(found - expected)]
        complaints += [f"a link that leads nowhere in {each}"
                       for each in broken_links(folder / DOCUMENTS[1:])]
        complaints += wrong_paths(folder)
        complaints += complaints_of_systemd(folder)
    print("\n".join(complaints))
    sys.exit(bool(complaints))


main()
