# Very many sessions: what opening, keeping, resuming, recovering and expiring them costs.
# targets: cafmcp-load cafmcpd
# CAFMCP_BENCH_SESSIONS (200000; the full run is 10000000) are opened, CAFMCP_BENCH_SESSIONS_EXPIRE of them (a tenth) expire at
# once at the end. CAFMCP_BENCH_CONNECTIONS (256) open them, from two threads. CAFMCP_BENCH_DIR is where the data goes, some
# gigabytes in the full run (a temporary directory). The sessions that expire are opened CAFMCP_BENCH_SESSIONS_GAP seconds
# (20, or more with more sessions) before the others: so long the last part may take, restart and expiry, before the others
# expire too. CAFMCP_BENCH_NODE_FLAGS are further flags of cafmcpd, such as '--set session.idle=10s'.
#
# Exit code 1 when a session did not answer, when too many or too few expired, when a restart took more than 30 s to the
# ready line, or when ten million sessions took more than 8 GB of memory.

# shellcheck source=bench/node.bash
source "$top/bench/node.bash"
sessions=${CAFMCP_BENCH_SESSIONS:-200000}
expire=${CAFMCP_BENCH_SESSIONS_EXPIRE:-$((sessions / 10))}
connections=${CAFMCP_BENCH_CONNECTIONS:-256}
gap=${CAFMCP_BENCH_SESSIONS_GAP:-$((sessions > 2000000 ? sessions / 100000 : 20))}
read -ra node_flags <<< "${CAFMCP_BENCH_NODE_FLAGS:-}"
node_flags=(--set "limits.sessions=$((sessions + 100000))" "${node_flags[@]}")
calling=16  # sessions and connections of the load of calls
bytes_wanted=$((sessions * 3000))
full_run=10000000

((sessions >= 100 && expire >= 1 && expire <= sessions / 2)) ||
  die "CAFMCP_BENCH_SESSIONS is $sessions and CAFMCP_BENCH_SESSIONS_EXPIRE $expire: must be at least 100, and 1 to half of that"
data=$(mktemp -d -p "${CAFMCP_BENCH_DIR:-$tmp}")
trap 'stop; rm -rf "$tmp" "$data"' EXIT
bytes_free=$(df --output=avail -B1 "$data" | tail -n 1)
((bytes_free > bytes_wanted)) ||
  die "$data has $((bytes_free / 1000000)) MB free, and about $((bytes_wanted / 1000000)) are needed: set CAFMCP_BENCH_DIR"

row() { printf '%-18s %s\n' "$1" "$2"; }
ms() { echo "(r.latency_us.$1 / 1000).toFixed(1) + ' ms'"; }
percentiles="'p50 ' + $(ms p50) + ', p99 ' + $(ms p99)"

# open COUNT SAMPLE REPORT: ids go to REPORT.ids
open() {
  load_all "$3" --session open --count "$1" --sample "$2" --ids "$3.ids" --connections "$connections" --threads 2 ||
    die "$1 sessions could not be opened"
  row opened "$(of "$3" "r.mcp.sessions_opened + ' sessions, ' + r.mcp.sessions_per_second.toFixed(0) + '/s, initialize p50 ' +
    (r.mcp.initialize_us.p50 / 1000).toFixed(1) + ' ms, p99 ' + (r.mcp.initialize_us.p99 / 1000).toFixed(1) + ' ms, sent again ' +
    r.mcp.sent_again + ', errors ' + r.errors.total")"
}

# begin_resume IDS REPORT: once each; end_load follows.
begin_resume() {
  begin_load "$2" --session resume --ids "$1" --connections 16 --threads 1 --timeout 120s
}

# resumed WHAT REPORT: waits for the end of that.
resumed() {
  local result=0
  end_load || result=$?
  row "$1" "$(of "$2" "r.requests + ' of ' + r.mcp.sessions_wanted + ' answered, ' + $percentiles + ', max ' + $(ms max) +
    ', sent again ' + r.mcp.sent_again + ', errors ' + r.errors.total")"
  [ "$result" = 0 ] || complain "$1: not all sessions answered (404 is counted as lost): $(of "$2" 'JSON.stringify(r.errors)')"
}

# memory_and_disk: of the node and its data, in all and for each session
memory_and_disk() {
  local kb bytes
  kb=$(peak_kb)
  bytes=$(du -sB1 "$data" | cut -f1)
  row 'peak memory' "$((kb / 1000)) MB, $((kb * 1024 / sessions)) B a session"
  row 'data directory' "$((bytes / 1000000)) MB, $((bytes / sessions)) B a session"
  ((sessions < full_run || kb * 1024 <= 8000000000)) || complain "peak memory is $((kb / 1000)) MB, more than 8 GB"
}

# restart [flags]: says how long it took.
restart() {
  start_node "$data" "${node_flags[@]}" "$@"
  ((ready_us < 30000000)) || complain "the node was ready after $(in_seconds "$ready_us") s, more than 30"
}

# since_start: seconds
since_start() { in_seconds $(($(now_us) - started_us)); }

# begin_calls REPORT [flags]: a load of calls in sessions that are there already; end_load follows.
begin_calls() { begin_load "$@" --ids "$tmp/calling.ids" --connections "$calling" --threads 1; }

source_of_calls="r.requests_per_second.toFixed(0) + '/s, ' + $percentiles + ', max ' + $(ms max) + ', errors ' + r.errors.total + ', over ' + r.duration_seconds.toFixed(1) + ' s'"

opening() {
  local k1 k2 sample=$((sessions < 5000 ? sessions : 5000))
  k1=$((sample * expire / sessions))
  kept_of_oldest=$((k1 > 0 ? k1 : 1))
  k2=$((sample - kept_of_oldest))
  start_node "$data" "${node_flags[@]}"
  open "$expire" "$kept_of_oldest" "$tmp/oldest"
  oldest_us=$(now_us)
  row pause "$gap s, for the age of those that are to expire"
  sleep "$gap"
  open $((sessions - expire)) "$((k2 > 0 ? k2 : 1))" "$tmp/others"
  cat "$tmp/oldest.ids" "$tmp/others.ids" > "$tmp/ids"
  [ "$(metric cafmcp_sessions_stored)" = "$sessions" ] ||
    complain "$(metric cafmcp_sessions_stored) sessions are stored, not $sessions"
  memory_and_disk
}

recovering() {
  local healthy_after loaded_after
  end_node KILL
  restart
  begin_resume "$tmp/ids" "$tmp/again"
  wait_until 600 healthy || complain 'the node is not healthy after 10 minutes'
  healthy_after=$(since_start)
  wait_until 3000 loaded || complain 'the store is not loaded after 50 minutes'
  loaded_after=$(since_start)
  row 'killed, started' "ready after $(in_seconds "$ready_us") s, healthy after $healthy_after s, loaded after $loaded_after s"
  resumed 'resumed at once' "$tmp/again"
  memory_and_disk
}

# What was resumed in between was used since, if that was long enough ago to be noted: it may expire or not.
has_expired() {
  stored=$(metric cafmcp_sessions_stored)
  [ -n "$stored" ] && ((stored <= stored_before - expire + kept_of_oldest))
}

expiring() {
  local ttl took_us deadline_us
  head -n "$calling" "$tmp/others.ids" > "$tmp/calling.ids"
  begin_calls "$tmp/baseline" --duration 5s --warmup 1s
  end_load || complain 'the load of calls failed'
  row calls "$(of "$tmp/baseline" "$source_of_calls")"
  stored_before=$(metric cafmcp_sessions_stored)
  end_node TERM
  # All of the oldest are past this when the node starts, and the others when the pause is over once more.
  ttl=$((($(now_us) - oldest_us) / 1000000))
  deadline_us=$(($(now_us) + (gap - 2) * 1000000))
  restart --set "session.ttl=${ttl}s"
  # While the store loads, calls may be refused for now; the load of calls doesn't wait for that, this does.
  begin_resume "$tmp/calling.ids" "$tmp/first"
  resumed 'started again' "$tmp/first"
  begin_calls "$tmp/meanwhile" --warmup 0s --duration 1h
  wait_until $(((deadline_us - $(now_us)) / 1000000)) loaded &&
    wait_until $(((deadline_us - $(now_us)) / 1000000)) has_expired ||
    complain "not all have expired within $gap s: set CAFMCP_BENCH_SESSIONS_GAP to a longer time"
  took_us=$(($(now_us) - started_us - ready_us))
  sleep 1  # in case that was too fast for a measurement
  kill -INT "$load_pid"
  end_load || complain 'the load of calls beside the expiry failed'
  row 'calls, expiring' "$(of "$tmp/meanwhile" "$source_of_calls")"
  row 'ratio' "$(node -e '
    const [a, b] = process.argv.slice(1).map((path) => JSON.parse(require("fs").readFileSync(path, "utf8")));
    const times = (of) => (of(b) / of(a)).toFixed(2);
    console.log(`${times((r) => r.requests_per_second)} of the calls/s, ` +
      ["p50", "p99", "max"].map((p) => `${p} × ${times((r) => r.latency_us[p])}`).join(", "));' "$tmp/baseline" "$tmp/meanwhile")"
  row expired "$((stored_before - stored)) of $expire sessions in $(in_seconds "$took_us") s after the ready line"
  ((stored >= stored_before - expire)) || complain "$stored sessions are stored: more than $expire of $stored_before have expired"
  if (($(now_us) < deadline_us)); then
    begin_resume "$tmp/others.ids" "$tmp/rest"
    resumed 'the others' "$tmp/rest"
  fi
}

opening
begin_resume "$tmp/ids" "$tmp/resumed"
resumed resumed "$tmp/resumed"
recovering
expiring
end_node TERM
exit "$failed"
