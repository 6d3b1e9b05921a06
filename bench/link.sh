# Actor to actor between two processes over our links, with and without TLS, beside CAF's own network (BASP) in the same run.
# targets: link basp
# Measured are round trips with 1 and 64 in flight; messages one way, which wait for room and of which none is lost; the memory of a
# sender that never waits while the receiver stands still (1 GB worth of messages, 256 MB for CAF's network, which takes all it
# gets); and how late heartbeats are while 64 KiB messages go at full speed. Rows `other context`: the asking actor is not on the
# link's context. Each measurement has processes of its own; the three are measured in turn, whoever comes first changes from
# round to round; figures are medians, ratios are medians of the rounds' ratios.
# Goals: with 64 in flight 8 times CAF's network, with TLS 5 times; with one in flight 1.5 times.
# CAFMCP_BENCH_ROUNDS (3) sets how many rounds; CAFMCP_BENCH_DURATION is 2s here, CAFMCP_BENCH_WARMUP 300ms.

duration=${CAFMCP_BENCH_DURATION:-2s}
warmup=${CAFMCP_BENCH_WARMUP:-300ms}
rounds=${CAFMCP_BENCH_ROUNDS:-3}
"$top/scripts/certs" "$tmp/certs" near far > /dev/null

# measure PROGRAM flags…: one figure, as a line of JSON in $tmp/PROGRAM. In the background, because only `wait` lets a trap run at once.
measure() {
  local name=$1 program=("$bin/link")
  shift
  case $name in
    tls) program+=(--certs "$tmp/certs") ;;
    basp) program=("$bin/basp") ;;
  esac
  "${program[@]}" --duration "$duration" --warmup "$warmup" "$@" >> "$tmp/$name" & pids+=("$!")
  wait "$!"
  unset 'pids[-1]'
}

# in_turn flags…: by all three, or by the two of $names.
in_turn() {
  local order=("${names[@]}") i
  for ((i = 0; i < ${#order[@]}; i++)); do measure "${order[(i + round) % ${#order[@]}]}" "$@"; done
}

all=(tcp tls)
if [ -x "$bin/basp" ]; then all+=(basp); else echo 'scripts/bench: left out: BASP (there is no libcaf_io)' >&2; fi
for ((round = 0; round < rounds; round++)); do
  names=("${all[@]}")
  for bytes in 100 1024; do
    for many in 1 64; do in_turn --what round-trips --in-flight "$many" --bytes "$bytes"; done
  done
  for bytes in 100 1024 65536; do in_turn --what one-way --bytes "$bytes"; done
  names=(tcp tls)
  for bytes in 100 1024; do
    for many in 1 64; do in_turn --what round-trips --elsewhere --in-flight "$many" --bytes "$bytes"; done
  done
  in_turn --what heartbeat --bytes 65536
  for bytes in 100 1024; do
    in_turn --what flood --flood-mb 1000 --bytes "$bytes"
    [ ! -x "$bin/basp" ] || measure basp --what flood --flood-mb 256 --bytes "$bytes"
  done
done
node "$top/bench/link_summary.mjs" "$tmp"
