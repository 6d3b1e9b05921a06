# Starting, restarting and stopping supervised children, beside Erlang/OTP.
# targets: supervision
# Both do the same, in turn (which one comes first changes from round to round), with their reports of deaths switched off: 100 000
# children of one_for_one and of simple_one_for_one; one child, killed 2 000 times, from the kill until its successor runs; and
# 50 000 of 100 000 killed at once, until all are back. Ours runs on one thread, Erlang on all cores. Memory is what a child takes over
# the child itself: ours by the allocator's count, Erlang's by the supervisor's heap.
# OTP's recovery takes minutes when 50 000 are killed (it searches all children for each death), so it is measured once.
# CAFMCP_BENCH_ROUNDS (3) sets how many rounds, CAFMCP_BENCH_CHILDREN (100000) and CAFMCP_BENCH_KILLED (50000) how many children.

rounds=${CAFMCP_BENCH_ROUNDS:-3}
children=${CAFMCP_BENCH_CHILDREN:-100000}
killed=${CAFMCP_BENCH_KILLED:-50000}

# Debian's; not in scripts/setup, because nothing else needs it.
if ! command -v escript > /dev/null; then
  sudo=
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  echo 'scripts/bench: installing erlang-base' >&2
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends erlang-base > /dev/null ||
    echo 'scripts/bench: left out: Erlang/OTP' >&2
fi

# ours KILLED, theirs KILLED: a round, as a JSON document. In the background, because only `wait` lets a trap run at once.
ours() { measure ours "$bin/supervision" --children "$children" --killed "$1" --restarts 2000; }
theirs() {
  command -v escript > /dev/null || return 0
  measure theirs escript "$top/bench/peers/supervision.escript" --children "$children" --killed "$1" --restarts 2000
}
measure() {
  local name=$1
  shift
  "$@" >> "$tmp/$name" & pids+=("$!")
  wait "$!"
  unset 'pids[-1]'
}

for ((round = 0; round < rounds; round++)); do
  # 0: the one that takes minutes is left out.
  late=0
  [ "$round" = 0 ] && late=$killed
  if ((round % 2)); then theirs "$late"; ours "$killed"; else ours "$killed"; theirs "$late"; fi
done
node "$top/bench/supervision_summary.mjs" "$tmp" "$killed"
