# Everything that people do with this repository. Start with: make demo

ARGS =
ONLY =
FUZZTIME = 30s

.PHONY: demo build test check bench fuzz faults golden cover clean

# Opens a whole working world: service, both screens, mail, back office. Without a terminal it plays by itself.
# make demo ARGS="--auto --dir /tmp/hall"
demo: build
	bin/countersign demo $(ARGS)

build:
	go build -trimpath -o bin/countersign ./cmd/countersign

# Installs what the tests need (nothing when all is there) and runs all tests.
test:
	scripts/install-test-needs
	go test ./...

# What must hold before a change goes in: format, vet, staticcheck, then all tests, which hold the architecture's
# rules and fail when a generated document is stale (make golden writes those anew).
check:
	scripts/install-test-needs
	scripts/format-check
	go vet ./...
	go tool staticcheck ./...
	go test ./internal/arch ./internal/config
	go test ./...

# One line a figure, tab-separated. make bench ONLY=sign
bench:
	go run ./internal/bench $(ONLY)

# Each fuzz target in turn, FUZZTIME each.
fuzz:
	FUZZTIME=$(FUZZTIME) scripts/fuzz

# The slow tests of kills and failing disks, beside the quick ones.
faults:
	scripts/install-test-needs
	TEST_FAULTS=1 go test -count=1 -timeout 60m ./...

# Writes recorded screens and generated documents anew: read the difference before committing it.
golden:
	TEST_UPDATE=1 go test -count=1 ./internal/tui/... ./kiosk/display ./internal/arch
	go test -count=1 ./kiosk/clerk ./helpdesk/desk ./internal/config -update

cover:
	scripts/install-test-needs
	mkdir -p bin
	go test -coverpkg=./... -coverprofile=bin/cover.out ./...
	go tool cover -func=bin/cover.out | tail -1

clean:
	rm -rf bin
