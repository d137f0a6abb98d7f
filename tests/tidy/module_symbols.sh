#!/bin/sh
# module_symbols.sh MODULE: it exports its record and nothing else, and
# knows neither Python nor what runs in other processes.
exported=$(nm --dynamic --defined-only "$1" | awk '{ print $3 }')
if [ "$exported" != wsgi_module ]; then
  echo "exported symbols: $exported"
  exit 1
fi
if readelf --dynamic "$1" | grep NEEDED | grep -i python; then
  exit 1
fi
if nm --dynamic --undefined-only "$1" | grep ' _\{0,1\}Py'; then
  exit 1
fi
for room in supervisor worker lookout; do
  if nm --demangle "$1" | grep "pyhost::$room::"; then
    exit 1
  fi
done
