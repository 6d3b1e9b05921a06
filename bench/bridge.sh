# What an actor between reading and writing costs a WebSocket connection, and a round trip over our scheduler and CAF's.
# targets: cafmcp-load bridge
# The two servers are measured in turn, many times and briefly, because the machine's speed drifts; which one comes first
# changes from round to round; the ratio is the median of the rounds' ratios. It should be at least 0.85 at 16 and 64 connections, and a round trip on the same context
# at least 5 times as fast as over CAF's workers. At 1 connection the figures jump (see ceiling.sh).
# A row `posted` is one where actor and coroutine fall asleep between messages (bridge_round_trip.hpp).
# CAFMCP_BENCH_ROUNDS (21) sets how many rounds.

duration=${CAFMCP_BENCH_DURATION:-500ms}
warmup=${CAFMCP_BENCH_WARMUP:-100ms}
rounds=${CAFMCP_BENCH_ROUNDS:-21}

summary() { # summary CONNECTIONS < "PLAIN ACTOR" a round
  node -e '
    const rows = require("fs").readFileSync(0, "utf8").trim().split("\n").map((line) => line.split(" ").map(Number));
    const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
    const [plain, actor] = [0, 1].map((i) => median(rows.map((row) => row[i])));
    const ratios = rows.map((row) => row[1] / row[0]);
    const ratio = median(ratios);
    const cells = [process.argv[1], plain.toFixed(0), actor.toFixed(0), ratio.toFixed(2),
      ratios[0].toFixed(2) + " to " + ratios.at(-1).toFixed(2)];
    console.log(["ws-echo", ...cells].map((cell, i) => i ? cell.padStart(15) : cell.padEnd(8)).join(""));' "$1"
}

rate() { # rate URL CONNECTIONS
  load --url "ws${1#http}" --mode ws-echo --connections "$2" > "$tmp/report.json"
  node -p 'const r = JSON.parse(require("fs").readFileSync(0, "utf8"));
    if (r.errors.total) throw new Error(r.errors.total + " errors");
    r.requests_per_second' < "$tmp/report.json"
}

start "$bin/bridge" --serve plain
plain=$url
start "$bin/bridge" --serve actor
actor=$url
printf '%-8s%15s%15s%15s%15s%15s\n' '' connections 'plain/s' 'actor/s' ratio 'its range'
for connections in 1 16 64; do
  for ((round = 0; round < rounds; round++)); do
    if ((round % 2)); then
      b=$(rate "$actor" "$connections")
      a=$(rate "$plain" "$connections")
    else
      a=$(rate "$plain" "$connections")
      b=$(rate "$actor" "$connections")
    fi
    echo "$a $b"
  done > "$tmp/rounds"
  summary "$connections" < "$tmp/rounds"
done
stop
echo
"$bin/bridge" --round-trip
