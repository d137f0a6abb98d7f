#!/usr/bin/python3
"""Installs the packages in /shared/packages and serves with them, in a system that is thrown away.

usage: inside.py VERSION        the Python that the applications are to run in, such as 3.13

With the release's default Python the site is served by the release's mod_wsgi first, and once more at
the end. The last line of stdout says as JSON what has become of each step, "ok" or what went wrong, up
to the first that did.
"""

import http.cookiejar
import json
import pathlib
import re
import signal
import subprocess
import sys
import threading
import traceback
import urllib.parse
import urllib.request

from smoke_site import (ERROR_LOG, SITE, VERSION, free_port, get, install, make_site, run, start_httpd,
                        starts, stop_httpd, wait_until)

DEFAULT = "%d.%d" % sys.version_info[:2]
IS_DEFAULT = VERSION == DEFAULT
MODULES = pathlib.Path("/usr/lib/apache2/modules")
DOCUMENTS = pathlib.Path("/usr/share/doc/libapache2-mod-pyhost")
SWITCH_TO_PYHOST = "a2dismod -q -f wsgi && a2enmod -q pyhost && apachectl -t"
SWITCH_TO_WSGI = "a2dismod -q -f pyhost && a2enmod -q wsgi && apachectl -t"

# Of the packages that there are.
PYTHONS = sorted((each.name.split("_")[0].removeprefix("pyhost-python")
                  for each in pathlib.Path("/shared/packages").glob("pyhost-python3.*.deb")),
                 key=lambda version: int(version[2:]))


# The steps. Each leaves what the next one needs.

def step_upgrade():
    """A live site of mod_wsgi is not touched by the packages, and served by them when it is told to be."""
    install("libapache2-mod-wsgi-py3")
    start_httpd()
    assert get("/daemon").startswith(f"{VERSION} workers")
    assert starts()[-1].startswith("mod_wsgi/"), starts()
    install_packages()
    assert get("/daemon").startswith(f"{VERSION} workers")
    run("a2query -m pyhost", expected=1)
    run("a2enmod pyhost", expected=1)  # for it conflicts with what is enabled
    run("apachectl graceful")
    assert get("/daemon").startswith(f"{VERSION} workers")
    run(SWITCH_TO_PYHOST)
    stop_httpd()


def install_packages():
    names = ["libapache2-mod-pyhost", f"pyhost-python{VERSION}"] + ["pyhost-python3"] * IS_DEFAULT
    install(*(f"/shared/packages/{name}_*.deb" for name in names))


def step_install():
    """For the default Python the upgrade has installed it."""
    if not IS_DEFAULT:
        install_packages()
    run("a2query -m pyhost && apachectl -t")
    for document in DOCUMENTS.rglob("*.md"):
        for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
            path = link.partition("#")[0]
            assert "://" in link or (document.parent / path).exists(), f"{document}: {link}"


def step_start():
    start_httpd()
    version = run("pyhost --version").split()[1]
    assert starts()[-1] == f"mod_pyhost/{version} Python/{VERSION}", starts()


def step_embedded():
    assert get("/embedded").startswith(f"{VERSION} embedded {SITE}/venv "), get("/embedded")


def step_daemon():
    assert get("/daemon").startswith(f"{VERSION} workers {SITE}/venv "), get("/daemon")


def step_django():
    cookies = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    get("/django/admin/login/", opener=opener)
    token = next(each.value for each in cookies if each.name == "csrftoken")
    form = {"csrfmiddlewaretoken": token, "username": "root", "password": "open sesame",
            "next": "/django/admin/"}
    page = get("/django/admin/login/", data=urllib.parse.urlencode(form).encode(), opener=opener)
    assert "Site administration" in page, page


def step_flask():
    assert get("/flask/float/2.5") == "1.25"


def step_graceful():
    """No request fails while all workers are replaced."""
    before = {get("/daemon") for _ in range(20)}
    failures, requests, done = [], [0], threading.Event()

    def ask():
        while not done.is_set():
            try:
                assert get("/daemon").startswith(f"{VERSION} workers")
                assert get("/embedded").startswith(f"{VERSION} embedded")
                requests[0] += 2
            except Exception as error:
                failures.append(repr(error))

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        run("apachectl graceful")
        wait_until("new workers", lambda: not before & {get("/daemon") for _ in range(20)})
    finally:
        done.set()
        for client in clients:
            client.join()
    assert requests[0] and not failures, failures[:3]


def step_status():
    groups = json.loads(run("pyhost status --json"))["groups"]
    assert {group["name"]: group["state"] for group in groups} == dict.fromkeys(
        ("workers", "django", "flask"), "serving"), groups
    run("pyhost reload workers")
    run("pyhost check")
    errors = re.findall(r".*(?:wsgi:(?:warn|error)|Traceback|Exception).*", ERROR_LOG.read_text())
    assert not errors, errors[:5]


def serve_until_told(command, check):
    """Runs it until `check` is true; SIGTERM has to end it with 0."""
    log = pathlib.Path("/tmp/serve.log")
    with log.open("w") as output:
        serve = subprocess.Popen(command, stdout=output, stderr=output)

    def answers():
        assert serve.poll() is None, f"has ended: {log.read_text()}"
        try:
            return check()
        except OSError:
            return False

    try:
        wait_until(str(command), answers)
    finally:
        serve.send_signal(signal.SIGTERM)
        code = serve.wait(30)
    assert code == 0, f"ended with {code}: {log.read_text()}"


def step_serve():
    port = free_port()
    serve_until_told(["pyhost", "serve", SITE / "where.wsgi", "--port", str(port)],
                     lambda: get("/", port).startswith(VERSION))


def step_django_command():
    """`manage.py runpyhost`, of the package for the default Python."""
    install("/shared/packages/python3-pyhost_*.deb")
    port = free_port()
    settings = SITE / "django_site/site_settings.py"
    settings.write_text(settings.read_text() + "\nINSTALLED_APPS += ['pyhost_django']\n")
    serve_until_told(["python3", SITE / "django_site/manage.py", "runpyhost", "--port", str(port)],
                     lambda: "Django" in get("/admin/login/", port))


def step_build_plugin():
    """Of the Python that the site's virtualenv is of, as if the release had no package for it."""
    install("/shared/packages/pyhost-python3_*.deb", f"/shared/packages/pyhost-python{DEFAULT}_*.deb",
            f"pyhost-python{VERSION}-")
    command = f"pyhost build-plugin {SITE}/venv/bin/python"
    said = run("apachectl -t", expected=1)
    assert command in said, said
    install("/shared/packages/pyhost-source_*.deb", f"python{VERSION}-dev")
    run(f"{command} && apachectl -t")
    stop_httpd()
    start_httpd()
    assert starts()[-1].endswith(f" Python/{VERSION}"), starts()
    step_embedded()
    step_daemon()
    (MODULES / f"pyhost-cpython-{VERSION}.so").unlink()


def step_pythons():
    """Every Python of the release serves in one httpd, and two interpreters of one process as well."""
    install(*(f"/shared/packages/pyhost-python{version}_*.deb" for version in PYTHONS))
    lines = []
    for version in PYTHONS:
        name = f"python{version}"
        lines.append(f"WSGIDaemonProcess {name} user=smoke python={version} per-interpreter-gil=On\n")
        for group in ("one", "two"):
            lines.append(f"WSGIScriptAlias /{name}/{group} {SITE}/where.wsgi process-group={name} "
                         f"application-group={group}\n")
    pathlib.Path("/etc/apache2/conf-available/pythons.conf").write_text("".join(lines))
    run("a2enconf -q pythons && apachectl -t")
    stop_httpd()
    start_httpd()
    assert get("/embedded").startswith(f"{VERSION} embedded"), get("/embedded")
    for version in PYTHONS:
        for group in ("one", "two"):
            answer = get(f"/python{version}/{group}")
            assert answer.startswith(f"{version} python{version} /usr "), answer
    run("a2disconf -q pythons && apachectl graceful")


def step_back():
    """To mod_wsgi, with the site as it is."""
    run(SWITCH_TO_WSGI)
    stop_httpd()
    start_httpd()
    assert get("/daemon").startswith(f"{VERSION} workers")
    assert starts()[-1].startswith("mod_wsgi/"), starts()
    run(SWITCH_TO_PYHOST)


def step_purge():
    """Nothing stays: no file, no process."""
    run("a2disconf -q smoke")
    run("apt-get purge -y -qq '*pyhost*'")
    stop_httpd()
    left = run("find /etc /usr /var/lib /run \\( -name '*pyhost*' -o -path '/run/*wsgi*' \\) "
               "-not -path '/var/lib/dpkg/*' -not -path '/var/lib/apt/*'")
    assert left == "", left
    processes = subprocess.run(["pgrep", "-a", "pyhost"], stdout=subprocess.PIPE, text=True).stdout
    assert processes == "", processes


def main():
    make_site()
    steps = ["install", "start", "embedded", "daemon", "django", "flask", "graceful", "status",
             "serve"]
    if IS_DEFAULT:
        steps = ["upgrade", *steps, "django_command", *["pythons"] * (len(PYTHONS) > 1), "back"]
    else:
        steps += ["build_plugin"]
    outcomes = {}
    for step in [*steps, "purge"]:
        try:
            globals()[f"step_{step}"]()
            outcomes[step] = "ok"
        except Exception:
            log = ERROR_LOG.read_text()[-1500:] if ERROR_LOG.exists() else ""
            outcomes[step] = traceback.format_exc(limit=-2) + log
            break
    subprocess.run("apachectl stop", shell=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    httpd = re.search(r"Apache/([0-9.]+)", run("apache2 -v")).group(1)
    print(json.dumps({"httpd": httpd, "steps": outcomes}))


main()
