"""Runs the servers of kinds.py."""

import contextlib
import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

from kinds import BUILD, HTTPD, MODULES, NGINX_PROGRAM, ROOT, THREADS, WORKER_THREADS

CONFIG = """
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
{load}
ServerRoot {root}
DefaultRuntimeDir {root}
PidFile {root}/httpd.pid
ServerName localhost
ServerTokens Prod
Listen 127.0.0.1:{port}
{user}
ErrorLog {root}/error.log
LogLevel warn
MaxKeepAliveRequests 0
ServerLimit 1
StartServers 1
ThreadLimit {threads}
ThreadsPerChild {threads}
MaxRequestWorkers {threads}
MinSpareThreads 1
MaxSpareThreads {threads}
ThreadStackSize 8388608
<Directory />
AllowOverride None
</Directory>
<Directory {root}>
Require all granted
</Directory>
{content}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def stat_fields(pid):
    """The fields of /proc/PID/stat behind the name: state, parent, ..."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def processes_below(roots):
    """The processes and all their descendants."""
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                children.setdefault(int(stat_fields(entry.name)[1]), []).append(int(entry.name))
    found, waiting = [], list(roots)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def copy_files(root, tls):
    """Applications, by all names that servers know them by, and what they need."""
    folder = ROOT / "tests/bench"
    for file in [ROOT / "docs/examples/hello.wsgi", *(folder / "apps").glob("*.py")]:
        for suffix in (".wsgi", ".py"):
            shutil.copy(file, root / (file.stem + suffix))
    shutil.copy(ROOT / "docs/examples/hello_asgi.py", root)
    for name in ("access.py", "sockets_app.py"):
        shutil.copy(folder / name, root)
    (root / "meg.bin").write_bytes(b"x" * 1_000_000)
    if tls:
        pem = root / "server.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
            + ["-days", "2", "-keyout", pem, "-out", root / "certificate.pem"],
            check=True,
            capture_output=True,
        )
        pem.write_text(pem.read_text() + (root / "certificate.pem").read_text())


class ServerFailed(Exception):
    """What a server has done instead of answering, with its log."""


class Server:
    """A httpd with a folder of its own, and the process behind it."""

    def __init__(self, kind, root, app="hello", extra="", tls=False):
        self.kind = kind
        self.port = free_port()
        self.root = root
        self.scheme = "https" if tls else "http"
        copy_files(root, tls)
        self.path = kind.path
        values = {
            "root": root,
            "app": app,
            "worker_threads": WORKER_THREADS,
            "port": self.port,
            "modules": MODULES,
        }
        if kind.nginx:
            self.start(root, [[NGINX_PROGRAM, "-g", "daemon off;", "-c", "{root}/nginx.conf"]], values)
            return
        config = root / "httpd.conf"
        config.write_text(
            CONFIG.format(
                modules=MODULES,
                load=kind.load,
                root=root,
                port=self.port,
                threads=THREADS,
                user="User www-data\nGroup www-data" if os.geteuid() == 0 else "",
                content=f"{kind.content.format(**values)}\n{extra.format(**values)}",
            )
        )
        self.start(root, [] if kind.alone else [[HTTPD, "-f", str(config), "-DFOREGROUND"]], values)

    def start(self, root, front, values):
        """What is behind, and then what is asked."""
        if self.kind.nginx:
            (root / "nginx.conf").write_text(self.kind.content.format(**values))
        behind = [list(self.kind.behind)] if self.kind.behind else []
        self.started = time.monotonic()
        with open(root / "output", "ab") as output:
            self.processes = [
                subprocess.Popen(
                    [part.format(**values) if "{" in part else part for part in command],
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    cwd=root,
                )
                for command in behind + front
            ]

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}{self.path}"

    @property
    def address(self):
        return ("127.0.0.1", self.port)

    def wait_until_up(self, seconds=20, pause=0.01):
        """Waits for the first reply that is not an error, and returns it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and all(p.poll() is None for p in self.processes):
            with contextlib.suppress(OSError):
                reply = self.reply()
                if reply[0] == 200:
                    return reply
            time.sleep(pause)
        raise ServerFailed(f"does not start:\n{self.log()}")

    def reply(self):
        """Status, headers and body, without what names the server or the moment."""
        if self.scheme == "https":
            connection = http.client.HTTPSConnection(
                "127.0.0.1", self.port, timeout=5, context=ssl._create_unverified_context()
            )
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("GET", self.path, b"")
        response = connection.getresponse()
        body = response.read()
        unlike = ("Date", "Server", "Last-Modified", "ETag")
        headers = {n: v for n, v in response.getheaders() if n not in unlike}
        connection.close()
        return response.status, headers, body

    def log(self):
        logs = [self.root / "output", self.root / "error.log"]
        return "".join(log.read_text() for log in logs if log.exists())

    def pids(self):
        """All processes of the server, httpd's parent before its children."""
        return processes_below(process.pid for process in reversed(self.processes))

    def cpu_seconds(self):
        """User and system time of all processes so far."""
        ticks = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                fields = stat_fields(pid)
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def memory_of(server):
    """KiB of all its processes, each page counted once."""
    kib = 0
    for pid in server.pids():
        with contextlib.suppress(OSError):
            rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            kib += int(re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)[1])
    return kib


@contextlib.contextmanager
def starting(kind, app="hello", extra="", tls=False):
    with tempfile.TemporaryDirectory(prefix="pyhost-bench-") as folder:
        os.chmod(folder, 0o755)
        server = Server(kind, pathlib.Path(folder), app, extra, tls)
        try:
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def running(kind, **options):
    with starting(kind, **options) as server:
        server.wait_until_up()
        yield server


def build():
    """The release preset, with everything that KINDS names."""
    targets = (
        "mod_pyhost pyhost_cpython pyhost_supervisor_program pyhost_worker_program "
        "mod_floor floor_server"
    )
    subprocess.run([ROOT / "scripts/install-deps", "bench"], check=True)
    for command in (
        ["cmake", "-S", ROOT, "--preset", "release", "-DBUILD_TESTING=ON"],
        ["cmake", "--build", BUILD, "--target", *targets.split()],
    ):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
