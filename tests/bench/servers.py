"""The servers that tests/bench compares: httpd with one module, and what stands behind it."""

import contextlib
import dataclasses
import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
HTTPD = "/usr/sbin/apache2"
MODULES = pathlib.Path("/usr/lib/apache2/modules")
THREADS = 80  # the event MPM drops idle connections when no thread is left
WORKER_THREADS = 10

EMBEDDED = """
WSGIApplicationGroup %{{GLOBAL}}
WSGIScriptAlias / {root}/hello.wsgi
"""
DAEMON = """
WSGISocketPrefix {root}/wsgi
WSGIDaemonProcess bench processes=1 threads={worker_threads}
WSGIScriptAlias / {root}/hello.wsgi process-group=bench application-group=%{{GLOBAL}}
"""
MOD_WSGI = f"LoadModule wsgi_module {MODULES}/mod_wsgi.so"
MOD_PYHOST = f"LoadModule wsgi_module {BUILD}/mod_pyhost.so"
MOD_FLOOR = f"LoadModule floor_module {BUILD}/mod_floor.so"
MOD_PROXY = f"LoadModule proxy_module {MODULES}/mod_proxy.so"


@dataclasses.dataclass
class Kind:
    """How a server is configured. `behind` is the command of the process that httpd asks."""

    load: str
    content: str
    behind: tuple = ()
    path: str = "/"
    alone: bool = False  # what is behind is asked, and there is no httpd
    holds_crowds: bool = True  # of WebSockets


FILE = "static file"
HOOK = """
DocumentRoot {{root}}
<Location />
WSGIAccessScript {{root}}/access.py {options}
</Location>
"""
# What asking a hook script adds to a file that httpd sends by itself.
HOOK_KINDS = {
    FILE: Kind(MOD_PYHOST, "DocumentRoot {root}", path="/hello.py"),
    "access script in httpd's child": Kind(MOD_PYHOST, HOOK.format(options=""), path="/hello.py"),
    "access script in a process group": Kind(
        MOD_PYHOST,
        "WSGISocketPrefix {root}/wsgi\nWSGIDaemonProcess bench processes=1 threads={worker_threads}"
        + HOOK.format(options="process-group=bench"),
        path="/hello.py",
    ),
}

FLOOR = "C handler (the floor)"
KINDS = {
    FLOOR: Kind(MOD_FLOOR, "<Location />\nSetHandler floor\n</Location>"),
    "mod_wsgi": Kind(MOD_WSGI, EMBEDDED),
    "mod_pyhost": Kind(MOD_PYHOST, EMBEDDED),
    "C handler and C server": Kind(
        MOD_FLOOR,
        "FloorSocket {root}/behind\n<Location />\nSetHandler floor-remote\n</Location>",
        (f"{BUILD}/floor_server", "{root}/behind"),
    ),
    "mod_wsgi daemon": Kind(MOD_WSGI, DAEMON),
    "mod_pyhost daemon": Kind(MOD_PYHOST, DAEMON),
    "mod_proxy_uwsgi, uWSGI": Kind(
        f"{MOD_PROXY}\nLoadModule proxy_uwsgi_module {MODULES}/mod_proxy_uwsgi.so",
        "ProxyPass / unix:{root}/behind|uwsgi://bench/ enablereuse=on",
        (
            *("uwsgi", "--plugin", "python3", "--need-app", "--die-on-term"),
            *("--disable-logging", "--processes", "1", "--enable-threads", "--threads", "{worker_threads}"),
            *("--listen", "100", "--socket", "{root}/behind", "--chmod-socket=666"),
            *("--wsgi-file", "{root}/hello.py"),
        ),
    ),
    "mod_proxy_http, gunicorn": Kind(
        f"{MOD_PROXY}\nLoadModule proxy_http_module {MODULES}/mod_proxy_http.so",
        "ProxyPass / unix:{root}/behind|http://bench/ enablereuse=on",
        (
            *("gunicorn", "--worker-class", "gthread", "--workers", "1"),
            *("--threads", "{worker_threads}", "--keep-alive", "60", "--umask", "0"),
            *("--bind", "unix:{root}/behind", "--chdir", "{root}", "--log-level", "warning"),
            "hello:application",
        ),
    ),
}

WSGI_DAEMON = "mod_pyhost daemon, WSGI"
UVICORN = (
    *("uvicorn", "--log-level", "warning", "--no-access-log", "--lifespan", "off"),
    *("--loop", "uvloop", "--http", "httptools", "--app-dir", "{root}", "hello_asgi:application"),
)
# The same reply of an application that is called otherwise.
ASGI_KINDS = {
    WSGI_DAEMON: Kind(MOD_PYHOST, DAEMON),
    **{
        f"mod_pyhost daemon, ASGI, {loop}": Kind(
            MOD_PYHOST,
            DAEMON.replace("hello.wsgi", "hello_asgi.py").replace(
                "processes=1", f"processes=1 interface=asgi loop={loop}"
            ),
        )
        for loop in ("uvloop", "asyncio")
    },
    "mod_proxy_http, uvicorn": Kind(
        f"{MOD_PROXY}\nLoadModule proxy_http_module {MODULES}/mod_proxy_http.so",
        "ProxyPass / unix:{root}/behind|http://bench/ enablereuse=on",
        (*UVICORN, "--uds", "{root}/behind"),
    ),
}

SOCKET_APPLICATION = (*UVICORN[:-1], "sockets_app:application")
SOCKET_KINDS = {
    "mod_pyhost daemon, ASGI": Kind(
        MOD_PYHOST,
        "AsyncRequestWorkerFactor 50\n"
        + DAEMON.replace("hello.wsgi", "sockets_app.py").replace(
            "processes=1", "processes=1 interface=asgi connections=4000"
        ),
    ),
    "mod_proxy_http, uvicorn": Kind(
        f"{MOD_PROXY}\nLoadModule proxy_http_module {MODULES}/mod_proxy_http.so",
        "ProxyPass / unix:{root}/behind|http://bench/ upgrade=websocket enablereuse=on",
        (*SOCKET_APPLICATION, "--uds", "{root}/behind"),
        holds_crowds=False,
    ),
    "uvicorn alone": Kind("", "", (*SOCKET_APPLICATION, "--port", "{port}"), alone=True),
}

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


class Server:
    """A httpd with a folder of its own, and the process behind it."""

    def __init__(self, kind, root):
        self.kind = kind
        self.port = free_port()
        self.root = root
        for name in ("hello.wsgi", "hello.py"):
            shutil.copy(ROOT / "docs/examples/hello.wsgi", root / name)
        shutil.copy(ROOT / "docs/examples/hello_asgi.py", root)
        for name in ("access.py", "sockets_app.py"):
            shutil.copy(ROOT / "tests/bench" / name, root)
        self.path = kind.path
        values = {"root": root, "worker_threads": WORKER_THREADS, "port": self.port}
        config = root / "httpd.conf"
        config.write_text(
            CONFIG.format(
                modules=MODULES,
                load=kind.load,
                root=root,
                port=self.port,
                threads=THREADS,
                user="User www-data\nGroup www-data" if os.geteuid() == 0 else "",
                content=kind.content.format(**values),
            )
        )
        commands = [[part.format(**values) for part in kind.behind]] if kind.behind else []
        if not kind.alone:
            commands.append([HTTPD, "-f", str(config), "-DFOREGROUND"])
        with open(root / "output", "ab") as output:
            self.processes = [
                subprocess.Popen(
                    command, stdout=output, stderr=output, start_new_session=True, cwd=root
                )
                for command in commands
            ]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}{self.path}"

    @property
    def address(self):
        return ("127.0.0.1", self.port)

    def wait_until_up(self, seconds=20):
        """Waits for the first reply that is not an error, and returns it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and all(p.poll() is None for p in self.processes):
            with contextlib.suppress(OSError):
                reply = self.reply()
                if reply[0] == 200:
                    return reply
            time.sleep(0.01)
        raise SystemExit(f"the server does not start:\n{self.log()}")

    def reply(self):
        """Status, headers and body, without what names the server or the moment."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("GET", self.path)
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
            process.wait(timeout=30)


def memory_of(server):
    """KiB of all its processes, each page counted once."""
    kib = 0
    for pid in server.pids():
        with contextlib.suppress(OSError):
            rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            kib += int(re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)[1])
    return kib


@contextlib.contextmanager
def running(kind):
    with tempfile.TemporaryDirectory(prefix="pyhost-bench-") as folder:
        os.chmod(folder, 0o755)
        server = Server(kind, pathlib.Path(folder))
        try:
            server.wait_until_up()
            yield server
        finally:
            server.stop()


def build():
    """The release preset, with everything that KINDS names."""
    targets = "mod_pyhost pyhost_cpython pyhost_supervisor_program pyhost_worker_program"
    subprocess.run([ROOT / "scripts/install-deps", "bench"], check=True)
    for command in (
        ["cmake", "-S", ROOT, "--preset", "release", "-DBUILD_TESTING=ON"],
        ["cmake", "--build", BUILD, "--target", *targets.split(), "mod_floor", "floor_server"],
    ):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
