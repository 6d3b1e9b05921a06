# tools/call over WebSocket and Streamable HTTP: cafmcpd, the bare Beast server, and servers from npm.
# targets: cafmcp-load ceiling cafmcpd
# All programs run at once, idle but for the one that is measured. They are measured in turn, many times and briefly,
# because the machine's speed drifts; the order is turned round from round to round; figures are medians of the rounds, and a
# ratio is the median of the rounds' ratios. CAFMCP_BENCH_DURATION (500ms), CAFMCP_BENCH_WARMUP (300ms) and
# CAFMCP_BENCH_ROUNDS (9) set how long and how many. Client and servers share the cores; the client has one thread.
#
# ceiling   bench/ceiling --mcp: finds the id and sends a canned result; one thread a core, no sessions
# sdk-v1    @modelcontextprotocol/sdk on node:http with sessions and JSON answers; WebSocket by `ws`: one process, one thread
# sdk-v2    @modelcontextprotocol/server likewise
# mcp-time  a native server in Go (mcp-go); HTTP only, and its tool is current_time: other work and another size of answer

duration=${CAFMCP_BENCH_DURATION:-500ms}
warmup=${CAFMCP_BENCH_WARMUP:-300ms}
rounds=${CAFMCP_BENCH_ROUNDS:-9}
peers=$top/bench/peers
programs=()
declare -A urls

# Called as a condition, where `set -e` does nothing: hence the chain.
install_peers() (
  installed=node_modules/.installed-package-lock.json
  cd "$peers" || exit
  cmp -s package-lock.json "$installed" && exit
  echo 'scripts/bench: installing the peers' >&2
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2 && cp package-lock.json "$installed"
)

# try NAME COMMAND…: starts a server; one that can't be started is left out, and that is said.
try() {
  local name=$1
  shift
  if start "$@"; then programs+=("$name"); urls[$name]=$url; else echo "scripts/bench: left out: $name" >&2; fi
}

# measure NAME MODE CONNECTIONS [flags]: a report on standard output; what is wrong with it, the summary says.
measure() {
  local name=$1 mode=$2 connections=$3 call=()
  shift 3
  [ "$name" = mcp-time ] && call=(--tool current_time --arguments '{}')
  local scheme=http
  [ "$mode" = mcp-ws ] && scheme=ws
  load --url "$scheme${urls[$name]#http}" --mode "$mode" --connections "$connections" "${call[@]}" "$@" || true
}

# of_mode MODE REVERSED: the programs that speak it.
of_mode() {
  local name
  for name in "${programs[@]}"; do
    [ "$1 $name" = 'mcp-ws mcp-time' ] || echo "$name"
  done | if [ "$2" = 1 ]; then tac; else cat; fi
}

start "$bin/ceiling" --mcp
programs+=(ceiling)
urls[ceiling]=$url
# cafmcpd refuses variables of its prefix that it doesn't know: not ours.
try cafmcpd env -u CAFMCP_BIN_DIR -u CAFMCP_BENCH_DURATION -u CAFMCP_BENCH_WARMUP -u CAFMCP_BENCH_ROUNDS \
  "$bin/cafmcpd" --listen 127.0.0.1:0 --data-dir "$tmp/data" --set admin.listen=off --set log.level=warn
if install_peers; then
  try sdk-v1 node "$peers/sdk_v1.mjs"
  try sdk-v2 node "$peers/sdk_v2.mjs"
  try mcp-time node "$peers/mcp_time.mjs"
else
  echo 'scripts/bench: left out: all from npm' >&2
fi

# Node compiles what is used often: not in the first round.
for mode in mcp-ws mcp-http; do
  for name in $(of_mode "$mode" 0); do duration=1s warmup=0s measure "$name" "$mode" 16 > /dev/null; done
done
mkdir "$tmp/reports"
for mode in mcp-ws mcp-http; do
  for connections in 1 16 64; do
    for ((round = 0; round < rounds; round++)); do
      for name in $(of_mode "$mode" $((round % 2))); do
        measure "$name" "$mode" "$connections" > "$tmp/reports/$mode.$connections.$name.$round.json"
      done
    done
  done
done
stop
node "$top/bench/calls_summary.mjs" "$tmp/reports" "$rounds"
