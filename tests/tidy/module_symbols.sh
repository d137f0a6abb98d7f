#!/bin/sh
# module_symbols.sh MODULE: it exports its record and nothing else, and does not know Python.
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
