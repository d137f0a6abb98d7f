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

code=$(git ls-files 'include/*' 'src/*')
all=$(git ls-files 'include/*' 'src/*' 'tests/*.cpp' 'tests/*.h')

# The barriers: httpd's callbacks and Python's entry points.
complain "catch outside a barrier" "$(grep -nE '\bcatch *\(' $code |
  grep -vE '^src/(apache/guarded|python/native_type)\.h:')"
complain "PyGILState does not know sub-interpreters" "$(grep -n 'PyGILState_' $code)"
complain "unfinished work" "$(grep -nwE 'TODO|FIXME|XXX' $all)"
complain "an include that leaves its layer" "$(grep -n '#include "\.\./' $all)"
complain "more than 500 lines" "$(wc -l $all | awk '$1 > 500 && $2 != "total"')"
exit $failed
