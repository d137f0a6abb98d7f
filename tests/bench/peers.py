"""The option by which further modules are measured."""

import argparse
import pathlib


def peer(text):
    name, _, path = text.partition("=")
    if not name or not path.endswith(".so") or not pathlib.Path(path).is_file():
        raise argparse.ArgumentTypeError(f"{text} is not NAME=PATH.so of a module that is there")
    return name, str(pathlib.Path(path).resolve())


def add_peer_option(parser):
    """[(name, path), ...] as `peer`"""
    parser.add_argument(
        "--peer",
        metavar="NAME=PATH.so",
        type=peer,
        action="append",
        default=[],
        help="another module with mod_wsgi's directives, in httpd and in its daemon",
    )
