#!/bin/bash
# Prints the address of the Debian mirror that this machine's apt uses.
set -euo pipefail
mirror=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT) $(RELEASE)' 'Created-By: Packages' |
         awk '$2 == "main" && $3 !~ /-/ && !found { print $1; found = 1 }')
[[ -n $mirror ]] || { echo "apt-mirror.sh: apt has no source with a component main" >&2; exit 1; }
echo "$mirror"
