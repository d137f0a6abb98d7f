"""What tests/bench/run measures: a kind of request each, and the servers that can be asked for it."""

import dataclasses

from kinds import (
    ASGI_KINDS,
    BEHIND,
    EMBEDDED_PLACE,
    FLOOR,
    FLOOR_OF_TWO,
    KINDS,
    MOD_FLOOR,
    NGINX,
    NGINX_KIND,
    NGINX_LISTEN,
    NGINX_LISTEN_TLS,
    SCRIPT,
    WORKERS,
    Kind,
    module_kinds,
)

STATIC = "httpd's static file"
PLACES = (EMBEDDED_PLACE, WORKERS, BEHIND)


@dataclasses.dataclass(frozen=True)
class Case:
    """`lua` is wrk's script, `extra` more of httpd's configuration; h2 has h2load ask instead."""

    title: str
    app: str = "hello"
    connections: tuple = (10,)
    path: str = "/"
    lua: str = ""
    extra: str = ""
    tls: bool = False
    streams: int = 0  # of HTTP/2, on each connection; 0: HTTP/1.1
    changes: tuple = ()  # of what configurations and commands have
    left_out: dict = dataclasses.field(default_factory=dict)  # {name or place: reason}
    loops: bool = False  # ASGI
    floors: tuple = ()

    def candidates(self, peers):
        """{name: Kind}, the floors first. `peers` are further modules: {name: path}."""
        if self.loops:
            return ASGI_KINDS
        kinds = {
            name: kind
            for name, kind in KINDS.items()
            if kind.load != MOD_FLOOR or name in self.floors
        }
        kinds[NGINX] = NGINX_KIND
        for name, path in peers.items():
            kinds |= module_kinds(name, path)
        if STATIC in self.floors:
            kinds = {STATIC: Kind("", "DocumentRoot {root}", path="/meg.bin")} | kinds
        return kinds

    def reasons(self, peers):
        """{name: why it is not asked}"""
        places = {name: kind.place for name, kind in self.candidates(peers).items()}
        by_place = {
            name: self.left_out[place] for name, place in places.items() if place in self.left_out
        }
        by_name = {name: why for name, why in self.left_out.items() if name not in PLACES}
        return by_place | by_name

    def kinds(self, peers):
        """{name: Kind} of those that are asked."""
        reasons = self.reasons(peers)
        kinds = {n: kind for n, kind in self.candidates(peers).items() if n not in reasons}
        if self.path != "/":
            kinds = {n: dataclasses.replace(kind, path=self.path) for n, kind in kinds.items()}
        return {name: kind.changed(self.changes) for name, kind in kinds.items()}


POST = "wrk.method = 'POST'\nwrk.body = string.rep('x', {})\n"
REQUEST_HEADERS = "".join(
    f"wrk.headers['X-Request-Header-{i}'] = 'the value of header number {i}'\n" for i in range(28)
)
GROUPS = "".join(
    f"WSGIScriptAlias /{i} {{root}}/{{app}}.wsgi application-group=g{i}\n" for i in range(8)
)
EACH_IN_TURN = (
    "local turn = 0\n"
    "request = function()\n  turn = (turn + 1) % 8\n  return wrk.format('GET', '/' .. turn)\nend\n"
)
TLS = """
LoadModule ssl_module {modules}/mod_ssl.so
SSLEngine on
SSLCertificateFile {root}/server.pem
"""
H2 = "LoadModule http2_module {modules}/mod_http2.so\nProtocols h2c http/1.1\n"

CASES = {
    "hello": Case("A short reply", connections=(1, 10, 64), floors=(FLOOR, FLOOR_OF_TWO)),
    "headers": Case("30 request and 20 reply headers", app="headers", lua=REQUEST_HEADERS),
    "flask": Case("A view of Flask", app="flask_app"),
    "django": Case("A view of Django", app="django_app"),
    "post64k": Case("A request body of 64 KiB", app="post", lua=POST.format(65536)),
    "post10m": Case("A request body of 10 MB", app="post", lua=POST.format(10_000_000)),
    "meg-block": Case("1 MB in one block", app="block"),
    "meg-blocks": Case("1 MB in 100 blocks", app="blocks"),
    "meg-file": Case("1 MB by wsgi.file_wrapper", app="file", floors=(STATIC,)),
    "generator": Case("1,000 blocks of 100 bytes", app="generator"),
    "tls": Case(
        "4 KB over TLS",
        app="small",
        tls=True,
        extra=TLS,
        changes=((NGINX_LISTEN, NGINX_LISTEN_TLS),),
    ),
    "h2": Case(
        "4 KB over HTTP/2, 100 streams",
        app="small",
        connections=(1,),
        streams=100,
        extra=H2,
        left_out={NGINX: "without TLS it speaks HTTP/1.1 or HTTP/2, and not both"},
    ),
    "groups": Case(
        "Eight application groups in turn",
        path="/0",
        lua=EACH_IN_TURN,
        changes=((SCRIPT, GROUPS),),
        left_out={BEHIND: "has one application in a process"},
    ),
    "workers": Case(
        "Three workers",
        changes=tuple((f"{option}=1", f"{option}=3") for option in ("processes", "workers")),
        left_out={EMBEDDED_PLACE: "has no workers"},
    ),
    "asgi": Case(
        "A short reply over ASGI",
        app="hello_asgi",
        connections=(1, 10, 64),
        loops=True,
        left_out={
            "mod_pyhost": "has ASGI in workers only",
            "mod_wsgi": "knows no ASGI",
            "mod_proxy_uwsgi, uWSGI": "knows no ASGI",
            "mod_proxy_http, gunicorn": "knows no ASGI but by uvicorn",
        },
    ),
    "busy": Case("1 ms of the processor", app="busy"),
}
