# The module that describes httpd to the applications that mod_pyhost runs.

from typing import Final

version: Final[tuple[int, int, int]]
description: Final[str]
build_date: Final[str]
mpm_name: Final[str]
maximum_processes: Final[int]
threads_per_process: Final[int]
