# Everything a newcomer needs: `make run` shows a living map, `make test` proves it.
SHELL := /bin/bash
.DEFAULT_GOAL := help

TOOLS    := $(CURDIR)/.tools/bin
WEB      := export/web
CLIENTS  := export/clients
GO_FILES := $(shell git ls-files '*.go')
INFLUXD  := github.com/influxdata/influxdb/cmd/influxd@v1.8.10
PMTILES  := github.com/protomaps/go-pmtiles@v1.31.2
STATIC   := honnef.co/go/tools/cmd/staticcheck@v0.8.2
S3SERVER := github.com/versity/versitygw/cmd/versitygw@v1.8.0
RELEASER := github.com/goreleaser/goreleaser/v2@v2.17.0
TELEGRAF := github.com/influxdata/telegraf/cmd/telegraf@v1.37.2

.PHONY: help run basemap release deb build pages quick test race cmd-tests long-tests go-tests page-tests stories firmware lint bench faults soak audit tools packages

help: ## what can be made
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## build everything and show a living map of a simulated city
	bin/stadtluft serve --demo 80 --data data/demo

build: pages ## the binary with its pages, in bin/
	go build -o bin/stadtluft ./cmd/stadtluft

pages: $(WEB)/dist/index.html ## the web pages (needs Node.js and npm)

$(WEB)/dist/index.html: $(WEB)/types/openapi.d.ts $(shell git ls-files '$(WEB)/*.ts' '$(WEB)/*.css' '$(WEB)/*.html' '$(WEB)/*.svg' '$(WEB)/*.json' '$(WEB)/places.mjs' '$(WEB)/public')
	npm --prefix $(WEB) run build

# Go knows what the API answers: each time it is asked, and the file is written when that has changed.
$(WEB)/types/openapi.d.ts: $(WEB)/node_modules/.package-lock.json FORCE
	@npm --prefix $(WEB) run --silent types

FORCE:

$(WEB)/node_modules/.package-lock.json: $(WEB)/package.json $(WEB)/types/package.json $(WEB)/package-lock.json
	npm --prefix $(WEB) ci --no-audit --no-fund

# Readers of open data as others have them, for tests.
$(CLIENTS)/node_modules/.package-lock.json: $(CLIENTS)/package.json $(CLIENTS)/package-lock.json
	npm --prefix $(CLIENTS) ci --no-audit --no-fund

release: $(TOOLS)/goreleaser ## a release in dist/ without publishing it: archives, Debian packages, checksums, bills of materials
	@rm -rf bin/packages && mkdir -p bin
	deploy/package/notes.sh >bin/notes.md
	$(TOOLS)/goreleaser release --snapshot --clean --release-notes bin/notes.md

deb: pages ## a Debian package in dist/
	deploy/package/build.sh

# The streets of BBOX (west,south,east,north), which `stadtluft check` prints, out of a build of the world by Protomaps, made of
# OpenStreetMap (ODbL). Only what lies within is fetched. Builds are kept for some days.
BUILD ?= https://build.protomaps.com/$(shell date -u -d '2 days ago' +%Y%m%d 2>/dev/null || date -u -v-2d +%Y%m%d).pmtiles
BASEMAP ?= basemap.pmtiles

basemap: ## streets for the map: make basemap BBOX=6.7,50.8,7.2,51.1
	@[ -n "$(BBOX)" ] || { echo "say which part of the world: make basemap BBOX=west,south,east,north; bin/stadtluft check prints the city's"; exit 2; }
	go run $(PMTILES) extract $(BUILD) $(BASEMAP) --bbox=$(BBOX)
	@echo "now set map.tiles to $(abspath $(BASEMAP))"

lint: tools ## formatting, vet and static checks
	@out=$$(gofmt -l $(GO_FILES)); [ -z "$$out" ] || { echo "run gofmt -w on:"; echo "$$out"; exit 1; }
	go vet ./...
	GOARCH=arm GOARM=7 go vet ./cmd/stadtluft/server # of the packages' machines the only one with numbers of 32 bits
	$(TOOLS)/staticcheck ./...
	npm --prefix $(WEB) run check

quick: $(WEB)/node_modules/.package-lock.json ## what takes a minute: vet, Go tests that need no other servers, page tests
	go vet ./...
	go test -vet=off -short ./...
	npm --prefix $(WEB) test

test: packages $(CLIENTS)/node_modules/.package-lock.json build ## everything but the race detector: checks, Go tests, page tests, browser stories
	$(MAKE) --no-print-directory -j3 cmd-tests long-tests lint firmware page-tests stories go-tests
	@[ -e ../shared ] || echo "left out, because ../shared is not beside the project: TestRealBoundary, TestRealDays"

# Tests of several processes mostly wait for each other: they run beside the others.
LONG := TestFaults|TestSeveralMachines|TestArchiveElsewhere|TestTwoCitiesInOneProcess|TestTwoCitiesInTwoProcesses|TestAccess|TestArchive|TestRolesApart

cmd-tests long-tests go-tests: export INFLUXD_BINARY := $(TOOLS)/influxd
cmd-tests:
	go test -vet=off -timeout 30m -skip '^($(LONG))$$' ./cmd/stadtluft/
long-tests:
	go test -vet=off -timeout 30m -run '^($(LONG))$$' ./cmd/stadtluft/
go-tests: # lint has vetted them
	go test -vet=off -timeout 30m $(addprefix ./,$(filter-out cmd/stadtluft/,$(TESTED)))

# The race detector takes up to ten times as long. It watches the packages in which anything runs beside anything else, except
# for sums in one goroutine and for long stories, whose parts shorter ones play under its eyes.
UNRACED    := TestAccess|TestTwoCitiesInOneProcess|TestTwoCitiesInTwoProcesses|TestArchiveElsewhere|TestRealDaysGetTheSameFlags|TestEveryOrderGivesTheSame|TestSoak|TestLateAcknowledgementsInBatches|TestNewYearsEve|TestNewYearsEveStored|TestHourCheckerIsAFunctionOfItsHours|TestTheDemoCityIsHealthy|TestImportOfRealDays|TestFaults|TestMosquittoAndInfluxDB|TestSeveralMachines|TestTwoDoors|TestDamagedSQLite|TestDamagedJournal|TestEmptiedInfluxDB
TESTED      = $(sort $(dir $(shell git ls-files '*_test.go')))
CONCURRENT  = $(filter $(TESTED),$(sort $(dir $(shell git grep -lE '^\s+go |\.Go[^a-z]|"sync["/]' -- '*.go'))))

race: export INFLUXD_BINARY := $(TOOLS)/influxd
race: packages $(CLIENTS)/node_modules/.package-lock.json pages ## Go tests once more, under the race detector, which continuous integration does after make test
	go test -race -vet=off -timeout 30m -skip '^($(UNRACED))$$' ./cmd/stadtluft/ ./ingest/mqtt/ $(addprefix ./,$(CONCURRENT))

page-tests:
	npm --prefix $(WEB) test

stories:
	deploy/story.sh

PROTOCOL := firmware-protocol
C_CHECKS := -Wall -Wextra -Werror -pedantic -Wconversion
SANITIZE := -g -fsanitize=address,undefined -fno-sanitize-recover
STAND_IN := -std=c++17 -Wall -Wextra -Werror -I$(PROTOCOL)/c -I$(PROTOCOL)/c/examples/stand-in

firmware: ## the C header, the sketch and the LoRaWAN formatter, on the test vectors
	@deploy/packages.sh cc:gcc g++:g++
	@mkdir -p bin
	cc -std=c99 $(C_CHECKS) $(SANITIZE) $(PROTOCOL)/c/vectors.c -o bin/vectors
	bin/vectors $(PROTOCOL)/vectors/good/*.json $(PROTOCOL)/vectors/binary-good/*.json
	g++ -std=c++11 $(C_CHECKS) -fsyntax-only -x c++ $(PROTOCOL)/c/stadtluft.h
	g++ $(STAND_IN) -include Arduino.h -fsyntax-only -x c++ $(PROTOCOL)/c/examples/station/station.ino
	g++ $(STAND_IN) $(SANITIZE) $(PROTOCOL)/c/examples/stand-in/station_test.cc -o bin/station
	bin/station
	node --test $(PROTOCOL)/lorawan/formatter.test.js

bench: packages tools $(TOOLS)/telegraf ## what BENCHMARKS.md says, in BENCH_ROUNDS (5) interleaved rounds beside peers; BENCH=part,part for some of it
	@deploy/packages.sh nginx:nginx-light wrk
	@mkdir -p bin; set -o pipefail; BENCH=$(BENCH) BENCH_ROUNDS=$(or $(BENCH_ROUNDS),5) BENCH_TELEGRAF=$(TOOLS)/telegraf INFLUXD_BINARY=$(TOOLS)/influxd \
		go test -count=1 -timeout 0 -v -run '^TestBenchmarks$$' ./cmd/stadtluft/ | tee bin/bench.log | grep --line-buffered -E '\| |FAIL|^ok|^panic'

# The version before an upgrade: the last tag, else the first commit with the registry in NATS.
EARLIER ?= $(shell git describe --tags --abbrev=0 2>/dev/null || echo 954f73a)

faults: packages $(TOOLS)/telegraf ## what is lost by FAULTS_ROUNDS (50) kills and by other faults in proportion, as a table, also with Telegraf; with several machines as root; the log is bin/faults.log
	@rm -rf bin/earlier && mkdir -p bin/earlier && git archive $(EARLIER) | tar -x -C bin/earlier
	cd bin/earlier && go build -o ../stadtluft-earlier ./cmd/stadtluft && rm -rf ../earlier
	@set -o pipefail; FAULTS_EARLIER=$(CURDIR)/bin/stadtluft-earlier FAULTS_TELEGRAF=$(TOOLS)/telegraf FAULTS_ROUNDS=$(or $(FAULTS_ROUNDS),50) INFLUXD_BINARY=$(TOOLS)/influxd go test -count=1 -timeout 60m -v -run '^(TestFaults|TestMachinesApart)$$' ./cmd/stadtluft/ \
		| tee bin/faults.log | grep --line-buffered -E '^(\||FAIL|ok|panic)|--- FAIL'

SOAK ?= 1h

soak: ## 200 messages a second for SOAK (1h): memory, goroutines, descriptors and disk, and whether what is acknowledged is stored
	@SOAK=$(SOAK) go test -count=1 -timeout 0 -v -run '^TestSoak$$' ./cmd/stadtluft/ | grep --line-buffered -E '^(\||acknowledged|FAIL|ok|panic)|--- FAIL|soak_test'

audit: build ## known holes, licences, a bill of materials, reproducibility, and each fuzzer for FUZZTIME (10m)
	deploy/audit/audit.sh

# What the tests need beside Go and Node.js: real servers and a real browser.
packages: tools
	@deploy/packages.sh mosquitto mosquitto_pub:mosquitto-clients chromium-headless-shell promtool:prometheus cs2cs:proj-bin ogrinfo:gdal-bin \
		Rscript:r-base-core /usr/lib/python3/dist-packages/geopandas:python3-geopandas

tools: $(TOOLS)/influxd $(TOOLS)/versitygw $(TOOLS)/staticcheck

$(TOOLS)/influxd:
	GOBIN=$(TOOLS) go install $(INFLUXD)

$(TOOLS)/versitygw:
	GOBIN=$(TOOLS) go install $(S3SERVER)

$(TOOLS)/goreleaser:
	GOBIN=$(TOOLS) go install $(RELEASER)

$(TOOLS)/staticcheck:
	GOBIN=$(TOOLS) go install $(STATIC)

# For make faults alone: the parts that read MQTT and write to InfluxDB.
$(TOOLS)/telegraf:
	GOBIN=$(TOOLS) go install -tags custom,inputs.mqtt_consumer,outputs.influxdb_v2,parsers.json_v2 $(TELEGRAF)
