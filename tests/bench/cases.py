"""What tests/bench/run measures: a kind of request each, and the servers that can be asked for it."""

import dataclasses

from kinds import (
    ASGI_KINDS,
    FLOOR,
    FLOOR_OF_TWO,
    KINDS,
    NGINX,
    NGINX_KIND,
    SCRIPT,
    Kind,
    module_kinds,
)

STATIC = "httpd's static file"
UVICORN = "mod_proxy_http, uvicorn"


@dataclasses.dataclass(frozen=True)
class Case:
    """`lua` is wrk's script, `extra` more of httpd's configuration; h2 has h2load ask instead."""

    title: str
    app: str = "hello"
    connections: tuple = (10,)
    lua: str = ""
    extra: str = ""
    tls: bool = False
    streams: int = 0  # of HTTP/2, on each connection; 0: HTTP/1.1
    changes: tuple = ()  # of what configurations and commands have
    modules_only: bool = False
    loops: bool = False  # ASGI
    floors: tuple = ()
    nginx: bool = True

    def kinds(self, peers):
        """{name: Kind}, the floors first. `peers` are further modules: {name: path}."""
        kinds = dict(ASGI_KINDS if self.loops else KINDS)
        for name in (FLOOR, FLOOR_OF_TWO):
            if name in kinds and name not in self.floors:
                del kinds[name]
        if self.modules_only:
            kinds = {name: kind for name, kind in kinds.items() if not kind.behind}
        if self.nginx and not self.loops:
            kinds[NGINX] = NGINX_KIND
        if not self.loops:
            for name, path in peers.items():
                kinds |= module_kinds(name, path)
        if STATIC in self.floors:
            kinds = {STATIC: Kind("", "DocumentRoot {root}", path="/meg.bin")} | kinds
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
    "tls": Case("4 KB over TLS", app="small", tls=True, extra=TLS, nginx=False),
    "h2": Case("4 KB over HTTP/2", app="small", streams=100, extra=H2, nginx=False),
    "groups": Case(
        "Eight application groups in turn",
        lua=EACH_IN_TURN,
        changes=((SCRIPT, GROUPS),),
        modules_only=True,
        nginx=False,
    ),
    "workers": Case(
        "Three workers",
        connections=(10,),
        changes=(("processes=1", "processes=3"), ("--processes=1", "--processes=3"), ("--workers=1", "--workers=3")),
    ),
    "asgi": Case("A short reply over ASGI", app="hello_asgi", connections=(1, 10, 64), loops=True),
    "busy": Case("1 ms of the processor", app="busy"),
}
