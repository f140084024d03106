# What the scripts share. Sourced, never run.
# shellcheck shell=bash

set -euo pipefail

# The repository, whatever folder the script is called from.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"

# Programs a lab consists of; labctl finds the others beside itself.
products=(labctl vrrp-agent http-backend smtp-backend node-init wire-relay imposter port-proxy)

# Ends the script. Status 3, as labctl's own: this machine cannot do it.
cannot() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 3
}

# Programs as they are meant to run: optimized, and
# - the Swift runtime inside: a node's first process starts in 2 ms instead of 4;
# - accesses to memory not checked for overlapping while they run: what debug builds, and so all
#   tests in one process, check is a third of what the agent executes for an advertisement;
# - functions of libraries looked up at the start and not in the middle of a first takeover.
# In a folder of their own, which no debug build locks: scripts/test makes both at once.
release_options=(--scratch-path "$root/.build/programs" --configuration release --static-swift-stdlib
    -Xswiftc -enforce-exclusivity=unchecked -Xlinker -z -Xlinker now)

# Builds the programs in that way.
build_release() {
    local product
    for product in "${products[@]}"; do
        swift build "${release_options[@]}" --product "$product"
    done
}

# The folder build_release puts them in.
release_folder() {
    swift build "${release_options[@]}" --show-bin-path
}
