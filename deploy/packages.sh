#!/usr/bin/env bash
# Installs the Debian packages of the commands and files named, where they are missing and we may.
# Usage: packages.sh COMMAND[:PACKAGE] … /FILE:PACKAGE …
set -euo pipefail
missing=()
for pair in "$@"; do
	command=${pair%%:*} package=${pair##*:}
	[ -e "$command" ] || PATH=$PATH:/usr/sbin command -v "$command" >/dev/null || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
else
	echo "the tests need these Debian packages: sudo apt-get install ${missing[*]}" >&2
	exit 1
fi

# Debian starts these servers with their packages, the broker on port 1883, where make run wants its own. The tests start
# servers of their own, so those that came just now are stopped; those that were here before are left alone.
for pair in mosquitto prometheus nginx:nginx-light; do
	service=${pair%%:*} package=${pair##*:}
	[[ " ${missing[*]} " == *" $package "* ]] || continue
	service "$service" stop >/dev/null 2>&1 || true
	systemctl disable --quiet "$service" 2>/dev/null || true
	echo "stopped and disabled the service $service, which Debian starts with its package; to have it: systemctl enable --now $service"
done
