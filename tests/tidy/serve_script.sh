#!/bin/sh
# serve_script.sh PROJECT_FOLDER PYHOST: what scripts/serve says without a build is what the program
# would say.
cd "$1" || exit 1
failed=0

"$2" serve --help | diff - scripts/serve-help.txt || {
  echo "scripts/serve-help.txt is out of date: pyhost serve --help >scripts/serve-help.txt"
  failed=1
}

expect_refusal() { # sentence, arguments of scripts/serve
  sentence=$1
  shift
  said=$(scripts/serve "$@" 2>&1)
  code=$?
  if [ "$code" != 2 ] || [ "$said" != "scripts/serve: $sentence; see scripts/serve --help" ]; then
    echo "scripts/serve $*: code $code, $said"
    failed=1
  fi
}

expect_refusal "TARGET is needed: a script, package.module:callable or a folder"
expect_refusal "there is no option --prot" --prot 1 README.md
expect_refusal "--port 99999: a number from 0 to 65535 is needed" --port 99999 README.md
expect_refusal "--port none: a number from 0 to 65535 is needed" --port=none README.md
expect_refusal "--callable needs a value" README.md --callable
expect_refusal "--reload takes no value" --reload=yes README.md
expect_refusal "one TARGET is served, not both README.md and docs" README.md docs
expect_refusal "no-such.wsgi: no such file or folder" no-such.wsgi --reload
if [ "$(id -u)" = 0 ]; then
  closed=$(mktemp -d)
  echo 'application = None' >"$closed/app.wsgi"
  expect_refusal "$closed/app.wsgi cannot be read by user www-data, as whom root serves: let that user in, \
or put it where all may read" "$closed/app.wsgi"
  rm -r "$closed"
fi
scripts/serve --help | diff - scripts/serve-help.txt || failed=1
exit $failed
