#!/usr/bin/env bash
# The browser stories against the real binary: starts it with a simulated city on free ports, opens the
# pages in Chromium, and stops it again.
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
trap 'kill "$server" "$mails" 2>/dev/null; wait "$server" "$mails" 2>/dev/null || true; rm -rf "$data"' EXIT

for _ in $(seq 150); do
	curl -fsS "http://127.0.0.1:$http/readyz" >/dev/null 2>&1 && break
	kill -0 "$server" 2>/dev/null || { cat "$data/log"; exit 1; }
	sleep 0.2
done
STORY_URL=http://127.0.0.1:$http STORY_MQTT=$mqtt STORY_MAILS=$data/mails STORY_ADMIN=7k2m9qx4vbt8w3hn5c0rz6jdpg npm --prefix export/web run story || { tail -50 "$data/log"; exit 1; }
