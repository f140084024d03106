# What the scripts share. Sourced, never run.
# shellcheck shell=bash

set -euo pipefail

# The repository, whatever folder the script is called from.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"

# Programs a lab consists of; labctl finds the others beside itself.
products=(labctl vrrp-agent http-backend node-init)

# Ends the script. Status 3, as labctl's own: this machine cannot do it.
cannot() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 3
}

# Builds the programs as they are meant to run: optimized, the Swift runtime inside (a node's first
# process starts in 2 ms instead of 4).
build_release() {
    local product
    for product in "${products[@]}"; do
        swift build --configuration release --static-swift-stdlib --product "$product"
    done
}

# The folder build_release puts them in.
release_folder() {
    swift build --configuration release --static-swift-stdlib --show-bin-path
}
