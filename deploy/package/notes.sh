#!/usr/bin/env bash
# Prints the newest section of CHANGELOG.md, without its heading: the text of a release. With VERSION it must be that version's.
set -euo pipefail
cd "$(dirname "$0")/../.."
heading=$(grep -m1 '^## ' CHANGELOG.md)
if [ -n "${VERSION:-}" ] && [ "$heading" != "## ${VERSION#v}" ]; then
	echo "CHANGELOG.md begins with \"$heading\", not with \"## ${VERSION#v}\": name the section for the release first" >&2
	exit 1
fi
awk '/^## /{n++; next} n == 1' CHANGELOG.md
