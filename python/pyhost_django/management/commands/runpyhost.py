"""Serves the project with `pyhost serve`."""

import argparse
import os
import shutil
import sys

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


def names(options, name):
    """Whether an option is among words of a command line."""
    return any(word == name or word.startswith(name + "=") for word in options)


def target():
    """The project's application, as pyhost writes it."""
    if settings.WSGI_APPLICATION is None:
        return "django.core.wsgi:get_wsgi_application()"
    module, _, name = settings.WSGI_APPLICATION.rpartition(".")
    return f"{module}:{name}"


def folder_of_project():
    base = getattr(settings, "BASE_DIR", None)
    return str(base or os.path.dirname(os.path.abspath(sys.argv[0])))


def folders_of_modules():
    """Of this process, without those of the Python that pyhost takes as well."""
    homes = {os.path.realpath(home) for home in (sys.prefix, sys.base_prefix, sys.exec_prefix)}

    def belongs_to_python(folder):
        return any(os.path.commonpath([home, folder]) == home for home in homes)

    folders = [folder_of_project(), *map(os.path.realpath, sys.path)]
    kept = [each for each in folders if os.path.isdir(each) and not belongs_to_python(each)]
    return list(dict.fromkeys(kept)) or [folder_of_project()]


def static_files():
    """What `manage.py collectstatic` has made, unless the application serves it itself."""
    url, root = settings.STATIC_URL, settings.STATIC_ROOT
    by_application = any("whitenoise" in name for name in settings.MIDDLEWARE)
    if not root or not (url or "").startswith("/") or by_application or not os.path.isdir(root):
        return []
    return ["--static", f"{url}={root}"]


def arguments(options):
    """The command line of pyhost, where `options` come first."""
    words = ["serve", target()]
    if not names(options, "--working-directory"):
        words += ["--working-directory", folder_of_project()]
    if not names(options, "--python-path"):
        for folder in folders_of_modules():
            words += ["--python-path", folder]
    if sys.prefix != sys.base_prefix and not names(options, "--python-home"):
        words += ["--python-home", sys.prefix]
    return words + static_files() + options


class Command(BaseCommand):
    help = "Serves the project with Apache httpd; takes the options of `pyhost serve`."
    requires_system_checks = []

    def run_from_argv(self, argv):
        """Leaves the options that manage.py has heeded already, and passes on all others."""
        own = argparse.ArgumentParser(add_help=False)
        for option in ("--settings", "--pythonpath", "--verbosity", "-v"):
            own.add_argument(option)
        for flag in ("--traceback", "--no-color", "--force-color", "--skip-checks"):
            own.add_argument(flag, action="store_true")
        _, options = own.parse_known_args(argv[2:])
        try:
            self.handle(*options)
        except CommandError as error:
            self.stderr.write(f"{error}")
            sys.exit(1)

    def handle(self, *options, **_):
        program = os.environ.get("PYHOST") or shutil.which("pyhost")
        if program is None:
            raise CommandError("the command pyhost is not on PATH; $PYHOST names it elsewhere")
        os.execv(program, [program, *arguments(list(options))])
