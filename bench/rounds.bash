# Programs that are measured in turn, many times and briefly, because the machine's speed drifts: all run at once, idle but
# for the one that is measured, and the order is turned round from round to round. Sourced by bench/*.sh, beside what
# scripts/bench has; the reports are read by bench/rounds.mjs. CAFMCP_BENCH_DURATION (500ms), CAFMCP_BENCH_WARMUP (300ms) and
# CAFMCP_BENCH_ROUNDS (9) set how long and how many.

duration=${CAFMCP_BENCH_DURATION:-500ms}
warmup=${CAFMCP_BENCH_WARMUP:-300ms}
rounds=${CAFMCP_BENCH_ROUNDS:-9}
programs=()
declare -A urls

# try NAME COMMAND…: starts a server; one that can't be started is left out, and that is said.
try() {
  local name=$1
  shift
  if start "$@"; then programs+=("$name"); urls[$name]=$url; else echo "scripts/bench: left out: $name" >&2; fi
}

# load_of NAME MODE CONNECTIONS [flags]: a report on standard output; what is wrong with it, the summary says.
load_of() {
  local name=$1 mode=$2 connections=$3 scheme=http
  shift 3
  [ "$mode" = mcp-ws ] && scheme=ws
  load --url "$scheme${urls[$name]#http}" --mode "$mode" --connections "$connections" "$@" || true
}

# A benchmark may have its own: measure NAME MODE CONNECTIONS, and speaks NAME MODE.
measure() { load_of "$@"; }
speaks() { true; }

# of_mode MODE REVERSED: the programs that speak it.
of_mode() {
  local name
  for name in "${programs[@]}"; do
    if speaks "$name" "$1"; then echo "$name"; fi
  done | if [ "$2" = 1 ]; then tac; else cat; fi
}

# measure_rounds CONNECTIONS…: both modes with each number; the reports are $tmp/reports/MODE.CONNECTIONS.PROGRAM.ROUND.json.
measure_rounds() {
  local mode connections round name
  mkdir "$tmp/reports"
  for mode in mcp-ws mcp-http; do
    for connections in "$@"; do
      for ((round = 0; round < rounds; round++)); do
        for name in $(of_mode "$mode" $((round % 2))); do
          measure "$name" "$mode" "$connections" > "$tmp/reports/$mode.$connections.$name.$round.json"
        done
      done
    done
  done
}
