#!/bin/sh
# forbidden_includes.sh COMPILER FOLDER[:FOLDER...] HEADER...
# Fails if one of the headers is within reach of these include folders.
compiler=$1
options=-I$(echo "$2" | sed 's/:/ -I/g')
shift 2

reaches() {
  # shellcheck disable=SC2086
  echo "#include \"$1\"" | $compiler -std=c++20 $options -M -x c++ - >/dev/null 2>&1
}

if ! reaches pyhost/base/result.h; then
  echo "not even pyhost/base/result.h is within reach: $options"
  exit 1
fi
failed=0
for header in "$@"; do
  if reaches "$header"; then
    echo "$header is within reach"
    failed=1
  fi
done
exit $failed
