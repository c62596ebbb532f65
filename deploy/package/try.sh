#!/usr/bin/env bash
# Tries two packages on a bare Debian in a folder: try.sh OLD.deb NEW.deb, of SUITE (trixie). Installs, registers a station and measures, restarts,
# upgrades, restores the backup that the upgrade made, and purges. Root only; needs debootstrap. No systemd runs in there: what
# the unit would start is started as its user by hand.
set -euo pipefail
old=$(realpath "$1") new=$(realpath "$2")
root=$(mktemp -d /var/tmp/stadtluft-try.XXXX)
chmod 755 "$root"
http=127.0.0.1:18811 mqtt=127.0.0.1:18812 server=
stop() { [ -z "$server" ] || { kill "$server"; wait "$server" || true; server=; }; }
trap 'stop; umount -q "$root/proc" || true; rm -rf "$root"' EXIT
say() { printf '\n== %s\n' "$*"; }
inside() { chroot "$root" /usr/bin/env DEBIAN_FRONTEND=noninteractive STADTLUFT_HTTP_LISTEN=$http STADTLUFT_MQTT_LISTEN=$mqtt PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
begin() {
	chroot "$root" /usr/bin/env STADTLUFT_HTTP_LISTEN=$http STADTLUFT_MQTT_LISTEN=$mqtt setpriv --reuid stadtluft --regid stadtluft --init-groups --no-new-privs \
		stadtluft serve --config /etc/stadtluft/stadtluft.yaml >>"$root/log" 2>&1 &
	server=$!
	for _ in $(seq 100); do curl -sf http://$http/readyz >/dev/null && return; sleep 0.2; done
	cat "$root/log"
	return 1
}
rows() { curl -sf "http://$http/api/v1/readings?from=$(date -u -d '1 hour ago' +%FT%TZ)&to=$(date -u -d '1 hour' +%FT%TZ)" | tail -n +2 | wc -l; }
publish() { mosquitto_pub -h 127.0.0.1 -p ${mqtt#*:} -q 1 -u "$id" -P "$token" -t "stadtluft/v1/$id/reading" -m "$1"; }
wait_for() { for _ in $(seq 100); do [ "$(rows)" = "$1" ] && return; sleep 0.1; done; echo "$(rows) values, not $1"; return 1; }

say "a bare Debian ${SUITE:-trixie}"
debootstrap --variant=minbase --include=ca-certificates "${SUITE:-trixie}" "$root" >/dev/null
mount -t proc proc "$root/proc"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" && chmod 755 "$root/usr/sbin/policy-rc.d" # start nothing by itself
cp "$old" "$root/old.deb" && cp "$new" "$root/new.deb"

say install
inside apt-get install -y -q --no-install-recommends /old.deb 2>&1 | tail -n 3
inside stat -c '%U:%G %a %n' /var/lib/stadtluft /etc/stadtluft/stadtluft.yaml /usr/bin/stadtluft
inside stadtluft check | grep -v '^ok' || true

say first city
begin
inside stadtluft station add --name Dach --lon 6.95 --lat 50.94 --kit custom --json >"$root/station"
id=$(grep -o '"id": *"[^"]*' "$root/station" | cut -d'"' -f4) token=$(grep -o '"token": *"[^"]*' "$root/station" | cut -d'"' -f4)
publish '{"pm10":17.5,"pm2_5":9.5}' && wait_for 2

say restart
stop; begin; wait_for 2
[ -z "$(find "$root/var/lib/stadtluft" ! -user "$(inside id -u stadtluft)")" ] # no file of another user

say no upgrade without a backup
version=$(inside stadtluft --version)
touch "$root/var/backups/stadtluft" # where the folder must be
if inside apt-get install -y -q --no-install-recommends /new.deb >"$root/refused" 2>&1; then tail "$root/refused"; exit 1; fi
[ "$(inside stadtluft --version)" = "$version" ] && [ "$(inside dpkg-query -f '${db:Status-Abbrev}' -W stadtluft)" = 'ii ' ]
rm "$root/var/backups/stadtluft"

say upgrade while it runs
inside apt-get install -y -q --no-install-recommends /new.deb 2>&1 | tail -n 4
ls -l "$root"/var/backups/stadtluft
stop; begin; wait_for 2
inside stadtluft --version

say restore the backup of the upgrade
publish '{"t":'$(($(date +%s) - 60))',"pm10":1.5}' && wait_for 3 # after the backup, so gone with the restore
stop
mv "$root/var/lib/stadtluft" "$root/gone"
inside install -d -o stadtluft -g stadtluft -m 0700 /var/lib/stadtluft
inside stadtluft restore "$(cd "$root" && ls var/backups/stadtluft/*.tar.gz | sed 's|^|/|')"
begin; wait_for 2
publish '{"t":'$(($(date +%s) - 60))',"pm10":1.5}' && wait_for 3
stop

say remove and purge
inside apt-get remove -y -q stadtluft 2>&1 | tail -n 1
ls "$root/etc/stadtluft" "$root/var/lib/stadtluft"
echo 'stadtluft stadtluft/purge-data boolean false' | inside debconf-set-selections
inside apt-get purge -y -q stadtluft 2>&1 | tail -n 2
[ -e "$root/var/lib/stadtluft/readings.db" ] && [ ! -e "$root/etc/stadtluft" ]
say all steps passed
