"""installation.py BUILD_FOLDER CMAKE MODULES_FOLDER: what `cmake --install` makes below another prefix.

Every file of it is expected, and every link of an installed document leads to an installed file.
"""

import os
import pathlib
import re
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
    files.add(f"{PREFIX}/bin/pyhost")
    files |= {f"{PREFIX}/share/man/man1/{page.name}" for page in ROOT.glob("share/man/*.1")}
    completions = {"pyhost.bash": "bash-completion/completions/pyhost",
                   "_pyhost": "zsh/site-functions/_pyhost",
                   "pyhost.fish": "fish/vendor_completions.d/pyhost.fish"}
    files |= {f"{PREFIX}/share/{path}" for name, path in completions.items()
              if (ROOT / "share/completions" / name).exists()}
    documents = {"README.md", "CHANGELOG.md", "LICENSE", "conf/pyhost.conf", "conf/reference.conf"}
    documents |= files_below("docs") | {f"src/{path.parent.name}/README.md"
                                        for path in ROOT.glob("src/*/README.md")}
    return files | {f"{DOCUMENTS}/{name}" for name in documents}


def broken_links(folder):
    """Of all documents in `folder`, as "document: link"."""
    for document in sorted(folder.rglob("*.md")):
        for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
            path = link.partition("#")[0]
            if "://" not in link and path and not (document.parent / path).exists():
                yield f"{document.relative_to(folder)}: {link}"


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
        load = (folder / "etc/apache2/mods-available/pyhost.load").read_text()
        if f"LoadModule wsgi_module {MODULES}/mod_pyhost.so" not in load:
            complaints.append(f"pyhost.load does not load what is installed: {load}")
        if not load.startswith("# Conflicts: wsgi wsgi_express\n"):
            complaints.append("pyhost.load does not tell a2enmod of mod_wsgi")
    print("\n".join(complaints))
    sys.exit(bool(complaints))


main()
