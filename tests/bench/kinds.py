"""How the servers are configured that tests/bench compares: httpd with one module, and what stands
behind it."""

import dataclasses
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
HTTPD = "/usr/sbin/apache2"
NGINX_PROGRAM = "/usr/sbin/nginx"
MODULES = pathlib.Path("/usr/lib/apache2/modules")
THREADS = 80  # the event MPM drops idle connections when no thread is left
WORKER_THREADS = 10

SCRIPT = "WSGIScriptAlias / {root}/{app}.wsgi"
EMBEDDED = f"""
WSGIApplicationGroup %{{{{GLOBAL}}}}
{SCRIPT}
"""
DAEMON = f"""
WSGISocketPrefix {{root}}/wsgi
WSGIDaemonProcess bench processes=1 threads={{worker_threads}}
WSGIProcessGroup bench
WSGIApplicationGroup %{{{{GLOBAL}}}}
{SCRIPT}
"""
MOD_WSGI = f"LoadModule wsgi_module {MODULES}/mod_wsgi.so"
MOD_PYHOST = f"LoadModule wsgi_module {BUILD}/mod_pyhost.so"
MOD_FLOOR = f"LoadModule floor_module {BUILD}/mod_floor.so"
MOD_PROXY = f"LoadModule proxy_module {MODULES}/mod_proxy.so"


EMBEDDED_PLACE, WORKERS, BEHIND = "embedded", "workers", "behind"


@dataclasses.dataclass(frozen=True)
class Kind:
    """How a server is configured. `behind` is the command of the process that httpd asks."""

    load: str
    content: str
    behind: tuple = ()
    path: str = "/"
    alone: bool = False  # what is behind is asked, and there is no httpd
    holds_crowds: bool = True  # of WebSockets
    nginx: bool = False  # in place of httpd

    @property
    def place(self):
        """Of Python: httpd's child, a worker of the module, or what is behind."""
        if self.behind:
            return BEHIND
        return WORKERS if "WSGIDaemonProcess" in self.content else EMBEDDED_PLACE

    def changed(self, changes):
        """The same with other texts: [(what there is, what is to be there)]."""
        kind = self
        for before, after in changes:
            kind = dataclasses.replace(
                kind,
                content=kind.content.replace(before, after),
                behind=tuple(part.replace(before, after) for part in kind.behind),
            )
        return kind


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
FLOOR_OF_TWO = "C handler and C server"
UWSGI = (
    *("uwsgi", "--plugin", "python3", "--need-app", "--die-on-term", "--disable-logging"),
    *("--processes=1", "--enable-threads", "--threads", "{worker_threads}", "--listen", "100"),
    *("--socket", "{root}/behind", "--chmod-socket=666", "--wsgi-file", "{root}/{app}.py"),
)


def module_kinds(name, path):
    """Those of a module with mod_wsgi's directives."""
    load = f"LoadModule wsgi_module {path}"
    return {name: Kind(load, EMBEDDED), f"{name} daemon": Kind(load, DAEMON)}


KINDS = {
    FLOOR: Kind(MOD_FLOOR, "<Location />\nSetHandler floor\n</Location>"),
    "mod_wsgi": Kind(MOD_WSGI, EMBEDDED),
    "mod_pyhost": Kind(MOD_PYHOST, EMBEDDED),
    FLOOR_OF_TWO: Kind(
        MOD_FLOOR,
        "FloorSocket {root}/behind\n<Location />\nSetHandler floor-remote\n</Location>",
        (f"{BUILD}/floor_server", "{root}/behind"),
    ),
    "mod_wsgi daemon": Kind(MOD_WSGI, DAEMON),
    "mod_pyhost daemon": Kind(MOD_PYHOST, DAEMON),
    "mod_proxy_uwsgi, uWSGI": Kind(
        f"{MOD_PROXY}\nLoadModule proxy_uwsgi_module {MODULES}/mod_proxy_uwsgi.so",
        "ProxyPass / unix:{root}/behind|uwsgi://bench/ enablereuse=on",
        UWSGI,
    ),
    "mod_proxy_http, gunicorn": Kind(
        f"{MOD_PROXY}\nLoadModule proxy_http_module {MODULES}/mod_proxy_http.so",
        "ProxyPass / unix:{root}/behind|http://bench/ enablereuse=on",
        (
            *("gunicorn", "--worker-class", "gthread", "--workers=1"),
            *("--threads", "{worker_threads}", "--keep-alive", "60", "--umask", "0"),
            *("--bind", "unix:{root}/behind", "--chdir", "{root}", "--log-level", "warning"),
            "{app}:application",
        ),
    ),
}

NGINX_LISTEN = "listen 127.0.0.1:{port};"
NGINX_LISTEN_TLS = """listen 127.0.0.1:{port} ssl;
    ssl_certificate {root}/server.pem;
    ssl_certificate_key {root}/server.pem;"""
NGINX_CONFIG = """
user www-data;
worker_processes 1;
pid {root}/nginx.pid;
error_log {root}/error.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_max_body_size 100m;
  client_body_temp_path {root}/body;
  uwsgi_temp_path {root}/replies;
  upstream behind {{ server unix:{root}/behind; }}
  server {{
    {listen}
    location / {{
      uwsgi_pass behind;
      uwsgi_param REQUEST_METHOD $request_method;
      uwsgi_param PATH_INFO $document_uri;
      uwsgi_param QUERY_STRING $query_string;
      uwsgi_param CONTENT_TYPE $content_type;
      uwsgi_param CONTENT_LENGTH $content_length;
      uwsgi_param REQUEST_URI $request_uri;
      uwsgi_param SERVER_PROTOCOL $server_protocol;
      uwsgi_param REMOTE_ADDR $remote_addr;
      uwsgi_param REMOTE_PORT $remote_port;
      uwsgi_param SERVER_NAME localhost;
      uwsgi_param SERVER_PORT {port};
    }}
  }}
}}
"""
NGINX = "nginx, uWSGI"
NGINX_KIND = Kind("", NGINX_CONFIG.replace("{listen}", NGINX_LISTEN), UWSGI, nginx=True)

WSGI_DAEMON = "mod_pyhost daemon, WSGI"
UVICORN = (
    *("uvicorn", "--log-level", "warning", "--no-access-log", "--lifespan", "off"),
    *("--loop", "uvloop", "--http", "httptools", "--app-dir", "{root}", "hello_asgi:application"),
)
# The same reply of an application that is called otherwise.
ASGI_KINDS = {
    WSGI_DAEMON: Kind(MOD_PYHOST, DAEMON.replace("{app}", "hello")),
    **{
        f"mod_pyhost daemon, ASGI, {loop}": Kind(
            MOD_PYHOST,
            DAEMON.replace("{app}.wsgi", "hello_asgi.py").replace(
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
        + DAEMON.replace("{app}.wsgi", "sockets_app.py").replace(
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
