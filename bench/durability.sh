# state_incr, which changes critical state in every call: acknowledged from disk, beside acknowledged from memory.
# targets: cafmcp-load cafmcpd
# Two nodes that differ in durability.critical only. Figures are medians of the rounds (bench/rounds.bash), and the ratio is the
# median of the rounds' ratios. fsyncs and operations are what the node's store counted, warm-up included. CAFMCP_BENCH_DIR is
# where the data goes (a temporary directory): how long its disk takes for an fsync is most of the answer.

# shellcheck source=bench/node.bash
source "$top/bench/node.bash"
# shellcheck source=bench/rounds.bash
source "$top/bench/rounds.bash"
data=$(mktemp -d -p "${CAFMCP_BENCH_DIR:-$tmp}")
trap 'stop; rm -rf "$tmp" "$data"' EXIT

store_counts() {
  url=${urls[$1]} get /metrics | tr -d '\r' |
    awk '$1 == "cafmcp_store_groups_total" { groups = $2 } $1 == "cafmcp_store_operations_total" { operations = $2 }
      END { print groups, operations }'
}

# One line a measurement in $tmp/store: MODE CONNECTIONS PROGRAM, and groups and operations before and after.
measure() {
  local before
  before=$(store_counts "$1")
  load_of "$@" --tool state_incr --arguments '{"key":"n"}'
  echo "$2 $3 $1 $before $(store_counts "$1")" >> "$tmp/store"
}

for kind in memory disk; do
  start "${clean_env[@]}" "$bin/cafmcpd" --listen 127.0.0.1:0 --data-dir "$data/$kind" --set admin.listen=off \
    --set log.level=warn --set "durability.critical=$kind"
  programs+=("$kind")
  urls[$kind]=$url
done
echo "data on $(df --output=fstype,source "$data" | tail -n 1 | xargs)"
measure_rounds 1 16 64 256
stop
node "$top/bench/durability_summary.mjs" "$tmp/reports" "$rounds" "$tmp/store"
