#!/bin/sh
# packaging.sh PROJECT_FOLDER: Debian's packages are built with what scripts/install-deps installs for
# a build; Python's headers are added for each Python.
cd "$1" || exit 1
failed=0
for package in $(sed -n '/^packages="/,/"$/p' scripts/install-deps | tr -d '"' | sed 's/packages=//'); do
  case $package in
    ca-certificates | g++ | apache2-bin | media-types | python3-dev) continue ;;
  esac
  if ! sed 's/[ ,]*$//' packaging/debian/control.in | grep -qx " $package"; then
    echo "packaging/debian/control.in does not name $package"
    failed=1
  fi
done
exit $failed
