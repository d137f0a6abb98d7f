"""A site of the release's httpd, with applications in the Python that inside.py was told, and what it
takes to run, ask, start and stop it.
"""

import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

VERSION = sys.argv[1]
APPS = pathlib.Path("/shared/source/tests/apps")
SITE = pathlib.Path("/srv/smoke")
ERROR_LOG = pathlib.Path("/var/log/apache2/error.log")

WHERE = """import os, sys
def application(environ, start_response):
    start_response('200 OK', [])
    version = '%d.%d' % sys.version_info[:2]
    group = environ['mod_wsgi.process_group'] or 'embedded'
    return [f'{version} {group} {sys.prefix} {os.getpid()}'.encode()]
"""

CONFIG = f"""ServerName 127.0.0.1
WSGIPythonHome {SITE}/venv
WSGIDaemonProcess workers processes=2 threads=3 user=smoke python-home={SITE}/venv
WSGIDaemonProcess django user=smoke python-home={SITE}/venv python-path={SITE}/django_site
WSGIDaemonProcess flask user=smoke python-home={SITE}/venv python-path={SITE}/flask_site
WSGIScriptAlias /embedded {SITE}/where.wsgi
WSGIScriptAlias /daemon {SITE}/where.wsgi process-group=workers application-group=%{{GLOBAL}}
WSGIScriptAlias /django {SITE}/django_site/site.wsgi process-group=django application-group=%{{GLOBAL}}
WSGIScriptAlias /flask {SITE}/flask_site/flask_site.wsgi process-group=flask application-group=%{{GLOBAL}}
<Directory {SITE}>
  Require all granted
</Directory>
"""


def run(command, expected=0):
    """What a command of the shell says; it has to end with `expected`."""
    result = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)
    assert result.returncode == expected, f"{command}: ended with {result.returncode}: {result.stdout[-2000:]}"
    return result.stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


PORT = free_port()


def get(path, port=PORT, data=None, opener=urllib.request.build_opener()):
    return opener.open(f"http://127.0.0.1:{port}{path}", data, timeout=30).read().decode()


def wait_until(what, condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, f"{what} has not come about"
        time.sleep(0.05)


def starts():
    """Who has served since httpd's starts, such as "mod_wsgi/4.9.4 Python/3.11"; the last one is last."""
    log = ERROR_LOG.read_text() if ERROR_LOG.exists() else ""
    return re.findall(r"AH00489: .* (mod_(?:wsgi|pyhost)/[0-9.]+ Python/[0-9.]+)", log)


def start_httpd():
    before = len(starts())
    run("apachectl start")
    wait_until("httpd", lambda: len(starts()) > before)


def stop_httpd():
    run("apachectl stop")
    wait_until("the end of httpd", lambda: subprocess.run(["pgrep", "-x", "apache2"],
                                                          stdout=subprocess.DEVNULL).returncode)


def make_site():
    run("useradd --system --create-home smoke")
    SITE.mkdir()
    for folder in ("django_site", "flask_site"):
        shutil.copytree(APPS / folder, SITE / folder)
    (SITE / "where.wsgi").write_text(WHERE)
    run(f"python{VERSION} -m venv --system-site-packages --without-pip {SITE}/venv")
    data = SITE / "django_site/data"
    data.mkdir()
    environment = "DJANGO_SUPERUSER_PASSWORD='open sesame'"
    manage = f"{SITE}/venv/bin/python {SITE}/django_site/manage.py"
    run(f"{manage} migrate && {environment} {manage} createsuperuser --no-input --username root "
        "--email root@localhost")
    run(f"chown -R smoke {data}")
    pathlib.Path("/etc/apache2/ports.conf").write_text(f"Listen 127.0.0.1:{PORT}\n")
    pathlib.Path("/etc/apache2/conf-available/smoke.conf").write_text(CONFIG)
    run("a2enconf -q smoke")


def install(*packages):
    run("apt-get install -y -qq --no-install-recommends " + " ".join(packages))
