#!/bin/sh
# sources.sh PROJECT_FOLDER: what no source may contain.
cd "$1" || exit 1
failed=0

complain() { # what, places
  [ -z "$2" ] && return
  echo "$1:"
  echo "$2" | sed 's/^/  /'
  failed=1
}

code=$(find include src -type f)
all="$code $(find tests -name '*.cpp' -o -name '*.h')"
[ -n "$code" ] || complain "nothing to check" "$PWD"

# The barriers: httpd's callbacks, Python's entry points, the shortage of memory, and CLI11, which
# reports by exception.
complain "catch outside a barrier" "$(grep -nE --exclude='*.js' '\bcatch *\(' $code |
  grep -vE '^(src/(apache/guarded\.h|python/native_type\.h|cli/command_line\.cpp)|src/base/out_of_memory\.h):')"
complain "PyGILState does not know sub-interpreters" "$(grep -n 'PyGILState_' $code)"
complain "fmt::join without the header that fmt 11 has it in" "$(grep -l 'fmt::join' $all |
  xargs grep -L 'fmt/ranges\.h')"
complain "unfinished work" "$(grep -nwE 'TODO|FIXME|XXX' $all)"
complain "an include that leaves its layer" "$(grep -n '#include "\.\./' $all)"
complain "more than 500 lines" "$(wc -l $all | awk '$1 > 500 && $2 != "total"')"
exit $failed
