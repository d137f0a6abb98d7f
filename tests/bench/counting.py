"""One httpd that has every counted request twice, answered by its child and by a worker, and a client
that asks for one at a time."""

import contextlib
import dataclasses
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from kinds import HTTPD, MODULES, ROOT
from servers import free_port

EMBEDDED, DAEMON = "embedded", "daemon"
MODES = (EMBEDDED, DAEMON)
CHILD, WORKER = "child", "worker"
PLACES = {EMBEDDED: (CHILD,), DAEMON: (CHILD, WORKER)}  # the processes in which a request is
MARK = "mark"


@dataclasses.dataclass(frozen=True)
class Counted:
    """A kind of request. `requests` are enough for an average that is the same each time. A check lets
    3 % more instructions pass, and only the same system calls; the slack is for what is not ours."""

    app: str
    requests: int
    body: bytes = b""
    slack_instructions: int = 0
    slack_calls: int = 0


CASES = {
    "hello": Counted("hello", 100),
    "post64k": Counted("post", 30, b"x" * 65536),
    # What a socket takes at once depends on how fast the other end is,
    "meg-block": Counted("block", 8, slack_instructions=30_000, slack_calls=60),
    # and how many blocks leave together on the clock.
    "generator": Counted("generator", 4, slack_instructions=300_000, slack_calls=100),
}

CONFIG = """
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule wsgi_module {modules_of_ours}/mod_pyhost.so
ServerRoot {root}
DefaultRuntimeDir {root}
PidFile {root}/httpd.pid
ServerName localhost
Listen 127.0.0.1:{port}
{user}
ErrorLog {root}/error.log
MaxKeepAliveRequests 0
KeepAliveTimeout 60
ServerLimit 1
StartServers 1
ThreadsPerChild 4
MaxRequestWorkers 4
MinSpareThreads 1
MaxSpareThreads 4
WSGIPythonHashSeed 0
WSGISocketPrefix {root}/wsgi
WSGIDaemonProcess counted processes=1 threads=4
<Directory />
AllowOverride None
</Directory>
<Directory {root}>
Require all granted
</Directory>
"""
SCRIPT = (
    "WSGIScriptAlias /{mode}/{app} {root}/{app}.wsgi process-group={group} "
    "application-group=%{{GLOBAL}}\n"
)
GROUPS = {EMBEDDED: "%{GLOBAL}", DAEMON: "counted"}


def configuration(modules, root, port):
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    scripts = (
        SCRIPT.format(mode=mode, app=app, root=root, group=GROUPS[mode])
        for mode in MODES
        for app in (MARK, *(case.app for case in CASES.values()))
    )
    return CONFIG.format(
        modules=MODULES, modules_of_ours=modules, root=root, port=port, user=user) + "".join(scripts)


class Client:
    """One connection, on which one request follows the reply of another."""

    def __init__(self, port):
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.replies = self.connection.makefile("rb")

    def ask(self, path, body=b""):
        head = f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nHost: localhost\r\n"
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        self.connection.sendall(f"{head}{length}\r\n".encode() + body)
        status = self.replies.readline()
        if b" 200 " not in status:
            raise SystemExit(f"{path}: {status!r}")
        return self.body_behind(self.head())

    def head(self):
        fields = {}
        while (line := self.replies.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            fields[name.lower()] = value.strip()
        return fields

    def body_behind(self, fields):
        if b"content-length" in fields:
            return self.replies.read(int(fields[b"content-length"]))
        body = b""
        while (size := int(self.replies.readline(), 16)) != 0:
            body += self.replies.read(size + 2)[:-2]
        self.replies.readline()
        return body

    def mark(self, name):
        """Has the child and the worker say that they are here; {process: pid}."""
        places = {CHILD: EMBEDDED, WORKER: DAEMON}
        return {process: int(self.ask(f"/{mode}/{MARK}?{name}")) for process, mode in places.items()}

    def close(self):
        self.replies.close()
        self.connection.close()


def is_up(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@contextlib.contextmanager
def stopped_at_the_end(command, root, environment):
    with open(root / "output", "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment, cwd=root)
    try:
        yield process
    finally:
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((root / "httpd.pid").read_text()), 15)
        process.wait(timeout=60)


@contextlib.contextmanager
def folder_for_all():
    """A folder that every process may write to, with the applications."""
    with tempfile.TemporaryDirectory(prefix="pyhost-counts-") as folder:
        root = pathlib.Path(folder)
        root.chmod(0o777)
        shutil.copy(ROOT / "docs/examples/hello.wsgi", root)
        for file in (ROOT / "tests/bench/apps").glob("*.py"):
            shutil.copy(file, root / f"{file.stem}.wsgi")
        yield root


@contextlib.contextmanager
def serving(modules, root, under, environment):
    """A client of a httpd that runs under a command which watches it; {root} in that is the folder."""
    port = free_port()
    (root / "httpd.conf").write_text(configuration(modules, root, port))
    command = [part.format(root=root) for part in under]
    command += [HTTPD, "-f", str(root / "httpd.conf"), "-DFOREGROUND"]
    values = {**os.environ, **environment}
    with stopped_at_the_end(command, root, values) as process:
        wait_until_up(process, root, port)
        client = Client(port)
        try:
            yield client
        finally:
            client.close()


def wait_until_up(process, root, port):
    deadline = time.monotonic() + 60
    while not is_up(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"httpd does not start:\n{log_of(root)}")
        time.sleep(0.05)


def log_of(root):
    files = [root / "output", root / "error.log"]
    return "".join(file.read_text() for file in files if file.exists())
