#!/usr/bin/env bash
# Builds Debian packages into TARGET, by default dist: build.sh [ARCH …], of amd64, arm64 and armhf; amd64 without arguments.
# VERSION is the package's version; without it, it is made of the newest tag and commit.
set -euo pipefail
cd "$(dirname "$0")/../.."
nfpm=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.48.0

# 1.2.0 at the tag v1.2.0, and 1.2.0+5.g0123abc five commits later: newer than the tag, older than the next.
described=$(git describe --tags --match 'v*' 2>/dev/null || echo "v0.0.0-$(git rev-list --count HEAD)-g$(git rev-parse --short HEAD)")
export VERSION=${VERSION:-$(sed -E 's/^v//; s/-([0-9]+)-g/+\1.g/' <<<"$described")}
export MAINTAINER=${MAINTAINER:-Stadtluft <stadtluft@localhost>} HOMEPAGE=${HOMEPAGE:-https://stadtluft.invalid/} LICENSE
LICENSE=$(sed -n '1s/ License$//p' LICENSE)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
stage=$(mktemp -d) target=${TARGET:-dist}
trap 'rm -rf "$stage"' EXIT
mkdir -p "$target"
chmod 755 deploy/package/{postinst,prerm,postrm}

sed 's|^data: .*|data: /var/lib/stadtluft|' deploy/stadtluft.example.yaml >"$stage/stadtluft.yaml"
gzip -9n <CHANGELOG.md >"$stage/changelog.gz"
compile() { CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X stadtluft/cmd/stadtluft/server.version=$VERSION" -o "$1" ./cmd/stadtluft; }
compile "$stage/here"
"$stage/here" completion bash >"$stage/completion"
rm "$stage/here"
for ARCH in "${@:-amd64}"; do
	case $ARCH in
	amd64 | arm64) export GOARCH=$ARCH ;;
	armhf) export GOARCH=arm GOARM=7 ;;
	*) echo "$ARCH is none of amd64, arm64, armhf" >&2; exit 2 ;;
	esac
	export ARCH STAGE=$stage/$ARCH
	mkdir "$STAGE" && cp "$stage"/{stadtluft.yaml,changelog.gz,completion} "$STAGE"
	compile "$STAGE/stadtluft"
	env -u GOARCH -u GOARM go run "$nfpm" package --config deploy/package/nfpm.yaml --packager deb --target "$target"
done
