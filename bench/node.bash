# A cafmcpd for benchmarks, one at a time, and what can be asked of it. Sourced by bench/*.sh, beside what scripts/bench
# has; named .bash because each *.sh here is a benchmark.

# cafmcpd refuses variables of its prefix that it doesn't know, such as ours; and a benchmark is not to depend on them.
clean_env=(env)
for variable in $(compgen -e CAFMCP_ || true); do clean_env+=(-u "$variable"); done

node=        # process id of the node that runs
ready_us=    # how long it took to its ready line
started_us=  # when it was started
load_pid=    # process id of what loads it
failed=0

now_us() { echo "${EPOCHREALTIME/[.,]/}"; }
in_seconds() { printf '%d.%02d' $(($1 / 1000000)) $(($1 % 1000000 / 10000)); }

# complain MESSAGE: something did not hold; the benchmark goes on and ends with 1.
complain() { echo "scripts/bench: $name: $*" >&2; failed=1; }

die() { echo "scripts/bench: $name: $*" >&2; exit 1; }

# forget PID: it has ended, and its number may be another's.
forget() {
  local i
  for i in "${!pids[@]}"; do [ "${pids[i]}" != "$1" ] || unset "pids[i]"; done
}

# start_node DATA_DIR [flags]: leaves $node and $url when the ready line is there.
start_node() {
  local data=$1 line
  shift
  : > "$tmp/node.out"
  started_us=$(now_us)
  "${clean_env[@]}" "$bin/cafmcpd" --listen 127.0.0.1:0 --data-dir "$data" --set admin.listen=off --set log.level=warn \
    "$@" > "$tmp/node.out" 2>> "$tmp/node.err" & node=$!
  pids+=("$node")
  until line=$(grep -m 1 -E ' ready http' "$tmp/node.out"); do
    must_run 'before it was ready'
    (($(now_us) - started_us < 600000000)) || die 'cafmcpd was not ready after 10 minutes'
    sleep 0.01
  done
  ready_us=$(($(now_us) - started_us))
  url=${line##* ready }
}

# must_run WHEN: ends the benchmark when the node has ended by itself.
must_run() {
  kill -0 "$node" 2> /dev/null || die "cafmcpd ended by itself $1; its last words: $(tail -n 3 "$tmp/node.err")"
}

# end_node SIGNAL
end_node() {
  kill "-$1" "$node"
  wait "$node" 2> /dev/null || true
  forget "$node"
  node=
}

# get PATH: a response of the node, with its head; nothing when there is none.
get() {
  local host=${url#http://}
  host=${host%%/*}
  {
    exec 3<> "/dev/tcp/${host%:*}/${host##*:}" || return 0
    printf 'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$1" "$host" >&3
    cat <&3
    exec 3>&-
  } 2> /dev/null
}

# metric NAME: its value; nothing when the node doesn't have it.
metric() { get /metrics | tr -d '\r' | sed -n "s/^$1 //p"; }

healthy() { get /health | head -n 1 | grep -q ' 200 '; }

# Whether the node has all of its store at hand; one that doesn't say has.
loaded() { case $(metric cafmcp_store_loading) in '' | 0) ;; *) return 1 ;; esac; }

# wait_until SECONDS CONDITION…: false when it didn't come true in time.
wait_until() {
  local until=$(($(now_us) + $1 * 1000000))
  shift
  until "$@"; do
    must_run "while waiting for: $*"
    (($(now_us) < until)) || return 1
    sleep 0.05
  done
}

peak_kb() { sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$node/status"; }

# begin_load REPORT [flags]: runs cafmcp-load beside what follows; leaves $load_pid.
begin_load() {
  local report=$1
  shift
  "$bin/cafmcp-load" --url "$url" --mode mcp-http --json "$@" > "$report" & load_pid=$!
  pids+=("$load_pid")
}

# end_load: waits for its end, and has its result. A node that ends meanwhile ends the benchmark.
end_load() {
  local result=0 first=
  wait -n -p first "$load_pid" "$node" || result=$?
  [ "$first" != "$node" ] || die "cafmcpd ended by itself under load; its last words: $(tail -n 3 "$tmp/node.err")"
  forget "$load_pid"
  return "$result"
}

load_all() {
  begin_load "$@"
  end_load
}

# of REPORT EXPRESSION: what JavaScript has to say of a report `r`.
of() { node -e "const r = JSON.parse(require('fs').readFileSync(process.argv[1], 'utf8')); console.log($2)" "$1"; }
