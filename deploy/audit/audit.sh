#!/usr/bin/env bash
# Looks for known holes, licences, reproducibility and inputs that decoders cannot stand. Ends with 1 when it finds something; what it
# cannot look at, because a database is not reachable, it says.
# Usage: audit.sh [STEP…], of holes, sbom, twice and fuzz; all without one. FUZZTIME is the time of each fuzzer.
set -uo pipefail
cd "$(dirname "$0")/../.."
root=$PWD tools=$PWD/.tools/bin corpora=$PWD/.fuzz found=0
finding() { echo "FOUND: $*"; found=1; }

# holes asks the databases of known holes in Go modules and npm packages.
holes() {
	local out status
	[ -x "$tools/govulncheck" ] || GOBIN=$tools go install golang.org/x/vuln/cmd/govulncheck@v1.9.0 || true
	out=$("$tools/govulncheck" ./... 2>&1)
	status=$?
	case $status in
	0) echo "govulncheck: nothing known" ;;
	3) echo "$out"; finding "govulncheck knows holes in what the program calls" ;;
	*) echo "govulncheck: NOT LOOKED AT, ${out##*$'\n'}" ;;
	esac
	for folder in export/web export/clients; do
		out=$(npm --prefix $folder audit --json 2>/dev/null)
		status=$?
		if ! grep -q '"auditReportVersion"' <<<"$out"; then
			echo "npm audit of $folder: NOT LOOKED AT, the registry does not answer that"
		elif [ $status = 0 ]; then
			echo "npm audit of $folder: nothing known"
		else
			npm --prefix $folder audit || true
			finding "npm audit knows holes in $folder"
		fi
	done
}

# sbom writes the bill of materials of the binary and checks the licences of everything.
sbom() {
	[ -x bin/stadtluft ] || go build -trimpath -o bin/stadtluft ./cmd/stadtluft || { finding "no binary"; return; }
	node deploy/audit/sbom.mjs bin/stadtluft export/web/package-lock.json bin/stadtluft.cdx.json || finding "licences"
}

# twice builds the last commit in two folders, from empty caches, and compares the binaries.
twice() {
	local folder sums
	folder=$(mktemp -d)
	for i in one another; do
		mkdir -p "$folder/$i"
		git archive HEAD | tar -x -C "$folder/$i"
		[ ! -e export/web/dist/index.html ] || cp -r export/web/dist/. "$folder/$i/export/web/dist/"
		(cd "$folder/$i" && GOCACHE=$folder/cache-$i go build -trimpath -o "$folder/stadtluft-$i" ./cmd/stadtluft) || finding "it does not build"
	done
	sums=$(sha256sum "$folder"/stadtluft-* | cut -d' ' -f1 | sort -u)
	if [ "$(wc -l <<<"$sums")" = 1 ]; then echo "the same binary twice from $(git rev-parse --short HEAD): $sums"; else finding "two builds of one commit differ"; fi
	chmod -R u+w "$folder" && rm -rf "$folder"
}

# fuzz runs each fuzzer for FUZZTIME, and keeps what it has learnt in .fuzz for the next time.
fuzz() {
	local cache files name package out failures
	cache=$(go env GOCACHE)/fuzz
	mkdir -p "$cache" "$corpora" && cp -r "$corpora/." "$cache/"
	while IFS=: read -r file name; do
		package=./$(dirname "$file")
		[[ $name =~ ${FUZZ:-.} ]] || continue
		failures=$package/testdata/fuzz/$name
		files=$(ls "$failures" 2>/dev/null)
		out=$(go test -run '^$' -fuzz "^$name\$" -fuzztime "${FUZZTIME:-10m}" "$package" 2>&1)
		if [ $? = 0 ]; then
			echo "$package $name: $(grep -o 'execs: [0-9]*' <<<"$out" | tail -1), nothing found"
		elif [ "$files" = "$(ls "$failures" 2>/dev/null)" ] && grep -q '^ *context deadline exceeded$' <<<"$out" && go test -run "^$name\$" "$package" >/dev/null; then
			# Go before 1.27 ends so by mistake when its time is over (go.dev/issue/75804); an input that fails is always written.
			echo "$package $name: $(grep -o 'execs: [0-9]*' <<<"$out" | tail -1), nothing found (Go's own deadline)"
		else
			echo "$out"
			finding "$package $name"
		fi
	done < <(git grep -oE '^func Fuzz[A-Za-z]+' -- '*_test.go' | sed 's/:func /:/')
	rm -rf "$corpora" && cp -r "$cache" "$corpora"
}

for step in "${@:-holes sbom twice fuzz}"; do
	for each in $step; do $each; done
done
exit $found
