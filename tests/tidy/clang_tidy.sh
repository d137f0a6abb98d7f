#!/bin/sh
# clang_tidy.sh PROJECT_FOLDER BUILD_FOLDER [REVISION]: what .clang-tidy asks for, of the sources that
# differ from the revision: what this branch was taken from, or else the commit before this one.
cd "$1" || exit 1
revision=${3-}
[ -n "$revision" ] || revision=$(git rev-parse -q --verify '@{upstream}' || git rev-parse -q --verify HEAD~1)
[ -n "$revision" ] || exit 0

# A header is read with the source of its name. There are no more of them than one looks at in a
# commit; a larger change is looked at by its author, with a revision.
sources=$(git diff --name-only --diff-filter=d "$revision" -- src |
  sed -n 's/\.\(h\|cpp\)$/.cpp/p' | sort -u | while read -r source; do
    ! grep -q "\"file\": \".*/$source\"" "$2/compile_commands.json" || echo "$source"
  done | head -n 12)
[ -n "$sources" ] || exit 0
# shellcheck disable=SC2086  # the list is meant to be split
exec clang-tidy --quiet -p "$2" $sources
