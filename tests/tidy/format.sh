#!/bin/sh
# format.sh PROJECT_FOLDER: every source is as .clang-format has it.
cd "$1" || exit 1
find include src tests -name '*.h' -o -name '*.cpp' -o -name '*.c' |
  xargs clang-format --dry-run -Werror || {
  echo "clang-format -i is what puts it right"
  exit 1
}
