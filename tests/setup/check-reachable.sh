#!/bin/bash
# Tests that run as root also build as other users, who must be able to enter this directory: check-reachable.sh DIRECTORY
set -euo pipefail
directory=${1:?usage: check-reachable.sh DIRECTORY}
(( EUID == 0 )) || exit 0
setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$directory/." || {
  echo "Other users cannot enter $directory, but some tests build as one: chmod o+x it and the directories above it, or clone elsewhere" >&2
  exit 1
}
