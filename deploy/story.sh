#!/usr/bin/env bash
# The browser stories against the real binary: starts it with a simulated city on free ports, and once more with several cities, opens
# the pages in Chromium, and stops both again.
set -euo pipefail
cd "$(dirname "$0")/.."

port() { node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'; }

data=$(mktemp -d)
http=$(port) mqtt=$(port) smtp=$(port)
mkdir "$data/mails"
node export/web/story/smtp.mjs "$smtp" "$data/mails" &
mails=$!
STADTLUFT_HTTP_PUBLIC_URL=http://127.0.0.1:$http STADTLUFT_SMTP_HOST=127.0.0.1 STADTLUFT_SMTP_PORT=$smtp STADTLUFT_SMTP_TLS=none STADTLUFT_SMTP_FROM='Stadtluft Köln <luft@example.org>' \
	STADTLUFT_HTTP_LISTEN=127.0.0.1:$http STADTLUFT_MQTT_LISTEN=127.0.0.1:$mqtt STADTLUFT_ADMIN_TOKEN=7k2m9qx4vbt8w3hn5c0rz6jdpg \
	bin/stadtluft serve --demo 40 --data "$data" >"$data/log" 2>&1 &
server=$!
portal=$(port)
cat >"$data/cities.yaml" <<CITIES
data: $data/cities
http: { listen: "127.0.0.1:$portal", public_url: "http://127.0.0.1:$portal" }
mqtt: { listen: "127.0.0.1:$(port)" }
city: { name: Rheinland }
cities:
  aachen: { city: { name: Aachen }, http: { public_url: "http://127.0.0.9:1" } }
  bonn: { city: { name: Bonn }, index: uba, http: { public_url: "http://bonn.localhost:$portal" } }
  koeln: { city: { name: Köln }, http: { public_url: "http://koeln.localhost:$portal" } }
CITIES
bin/stadtluft serve --demo 12 --config "$data/cities.yaml" --city koeln,bonn >"$data/cities.log" 2>&1 &
cities=$!
trap 'kill "$server" "$cities" "$mails" 2>/dev/null; wait "$server" "$cities" "$mails" 2>/dev/null || true; rm -rf "$data"' EXIT

ready() { # PORT PROCESS LOG
	for _ in $(seq 150); do
		curl -fsS "http://127.0.0.1:$1/readyz" >/dev/null 2>&1 && break
		kill -0 "$2" 2>/dev/null || { cat "$3"; exit 1; }
		sleep 0.2
	done
}
ready "$http" "$server" "$data/log"
ready "$portal" "$cities" "$data/cities.log"
STORY_URL=http://127.0.0.1:$http STORY_PORTAL=http://127.0.0.1:$portal STORY_MQTT=$mqtt STORY_MAILS=$data/mails STORY_ADMIN=7k2m9qx4vbt8w3hn5c0rz6jdpg npm --prefix export/web run story || { tail -50 "$data/log"; exit 1; }
