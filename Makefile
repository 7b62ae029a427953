# Fairlead. `make help` lists what there is.

SHELL := /bin/sh
export GOTOOLCHAIN ?= local

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
TOOLS   := $(CURDIR)/bin/tools
PRISM   := $(TOOLS)/prism/node_modules/.bin/prism
LDFLAGS := -s -w -X main.version=$(VERSION)

.PHONY: help build embedded demo test verify lint bench bench-collect bench-requests dashboards pictures clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/fairlead, without cgo
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/fairlead ./cmd/fairlead

embedded: ## fetch the embedded ClickHouse engine into the user's cache, once
	@sh deploy/embedded/fetch.sh

demo: build embedded ## collect a generated organisation, analyse it, serve it
	bin/fairlead demo

test: embedded ## the tests, with the race detector
	go vet ./...
	go test -race -timeout 60m ./...

verify: build embedded $(TOOLS)/promtool $(TOOLS)/pint $(PRISM) ## what is slower or needs more installed
	PATH="$(TOOLS):$$PATH" FAIRLEAD_BINARY=$(CURDIR)/bin/fairlead FAIRLEAD_PRISM=$(PRISM) go test -tags verify -timeout 40m -run '^TestVerify' ./...
	cd deploy/tools && go test ./dashboards ./alertmanager ./compose
	cd deploy/tools/browser && npm ci --silent --no-audit --no-fund
	cd deploy/tools && FAIRLEAD_BINARY=$(CURDIR)/bin/fairlead go test -timeout 20m ./browser
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 go build -o /dev/null ./cmd/fairlead
	GOOS=darwin GOARCH=amd64 CGO_ENABLED=0 go build -o /dev/null ./cmd/fairlead
	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build -o /dev/null ./cmd/fairlead

lint: $(TOOLS)/golangci-lint ## the linters, among them the arrows between the rooms
	$(TOOLS)/golangci-lint run --allow-parallel-runners ./...
	@go mod tidy -diff

dashboards: ## write the Grafana dashboards
	cd deploy/tools && go run ./dashboards -out ../grafana

pictures: build embedded ## take the README's pictures from the demonstration (wants chromium)
	@set -e; data=$$(mktemp -d); log=$$data/log; \
	bin/fairlead demo --now 2026-09-30 --listen 127.0.0.1:9465 --data $$data/data >$$log 2>&1 & pid=$$!; \
	trap 'kill $$pid; wait $$pid; rm -rf '"$$data" EXIT; \
	until grep -q ^Serving $$log; do kill -0 $$pid || { cat $$log; exit 1; }; sleep 1; done; \
	cd deploy/tools && go run ./pictures -url http://127.0.0.1:9465

bench: embedded ## the benchmarks
	go test -run '^$$' -bench . -benchtime 2s ./...

bench-collect: embedded ## tickets a second from fakes on the loopback, and memory at 10,000 and 1,000,000 tickets
	go test ./collector -run '^$$' -bench 'BenchmarkCollect|BenchmarkMemory' -benchtime 1x -timeout 60m

bench-requests: ## what a collection costs the sources, in requests per 1,000 tickets
	@go run ./collector/internal/requests

clean: ## remove what was built; the data folders stay
	rm -rf bin

$(TOOLS)/golangci-lint: deploy/tools/go.mod deploy/tools/go.sum
	cd deploy/tools && go build -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(TOOLS)/promtool: deploy/tools/go.mod deploy/tools/go.sum
	cd deploy/tools && go build -o $@ github.com/prometheus/prometheus/cmd/promtool

$(TOOLS)/pint: deploy/tools/go.mod deploy/tools/go.sum
	cd deploy/tools && go build -o $@ github.com/cloudflare/pint/cmd/pint

$(PRISM): deploy/tools/prism/package.json deploy/tools/prism/package-lock.json
	mkdir -p $(TOOLS)/prism
	cp deploy/tools/prism/package.json deploy/tools/prism/package-lock.json $(TOOLS)/prism
	cd $(TOOLS)/prism && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@
