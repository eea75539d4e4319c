#!/usr/bin/env bash
# Installs the programs that the benchmarks compare with, from Debian. Without one, its comparison is left out.
set -euo pipefail
sudo=$([ "$(id -u)" -eq 0 ] || echo sudo)
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends jq miller mawk gawk parallel nats-server redis-server
