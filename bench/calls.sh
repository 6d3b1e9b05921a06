# tools/call over WebSocket and Streamable HTTP: cafmcpd, the bare Beast server, and servers from npm.
# targets: cafmcp-load ceiling cafmcpd
# Figures are medians of the rounds (bench/rounds.bash), and a ratio is the median of the rounds' ratios. Client and servers
# share the cores; the client has one thread.
#
# ceiling   bench/ceiling --mcp: finds the id and sends a canned result; one thread a core, no sessions
# sdk-v1    @modelcontextprotocol/sdk on node:http with sessions and JSON answers; WebSocket by `ws`: one process, one thread
# sdk-v2    @modelcontextprotocol/server likewise
# mcp-time  a native server in Go (mcp-go); HTTP only, and its tool is current_time: other work and another size of answer

# shellcheck source=bench/node.bash
source "$top/bench/node.bash"
# shellcheck source=bench/rounds.bash
source "$top/bench/rounds.bash"
peers=$top/bench/peers

# Called as a condition, where `set -e` does nothing: hence the chain.
install_peers() (
  installed=node_modules/.installed-package-lock.json
  cd "$peers" || exit
  cmp -s package-lock.json "$installed" && exit
  echo 'scripts/bench: installing the peers' >&2
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2 && cp package-lock.json "$installed"
)

measure() {
  local call=()
  [ "$1" = mcp-time ] && call=(--tool current_time --arguments '{}')
  load_of "$@" "${call[@]}"
}

speaks() { [ "$1 $2" != 'mcp-time mcp-ws' ]; }

start "$bin/ceiling" --mcp
programs+=(ceiling)
urls[ceiling]=$url
try cafmcpd "${clean_env[@]}" "$bin/cafmcpd" --listen 127.0.0.1:0 --data-dir "$tmp/data" --set admin.listen=off \
  --set log.level=warn
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
measure_rounds 1 16 64
stop
node "$top/bench/calls_summary.mjs" "$tmp/reports" "$rounds"
