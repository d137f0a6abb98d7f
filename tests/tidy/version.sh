#!/bin/sh
# version.sh PROJECT_FOLDER VERSION PYHOST: everything that tells a version tells this one. (httpd's
# first line: tests/httpd/start_test.cpp.)
cd "$1" || exit 1
failed=0

expect_version() { # what, what it says
  [ "$2" = "$version" ] && return
  echo "$1 says '$2', CMakeLists.txt $version"
  failed=1
}

version=$2
expect_version "pyhost --version" "$("$3" --version | sed -n '1s/^pyhost //p')"
expect_version CHANGELOG.md "$(sed -n 's/^## //p' CHANGELOG.md | head -n 1)"
expect_version packaging/debian/changelog "$(sed -n '1s/.*(\(.*\)-[0-9]*).*/\1/p' packaging/debian/changelog)"
exit $failed
