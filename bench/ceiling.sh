# What plain Beast reaches on this machine: the bare server, which ours are measured against.
# targets: cafmcp-load ceiling
# At 1 connection on a virtual machine this is mostly the time to wake an idle core, some 40 us each way; when something
# else keeps the cores awake the figure is several times better.

row() { # row MODE SCHEME URL: a line for each number of connections
  local connections
  for connections in 1 16 64; do
    load --url "$2${3#http}" --mode "$1" --connections "$connections" > "$tmp/report.json"
    table_row "$1" "$connections" < "$tmp/report.json"
  done
}

table_head
start "$bin/ceiling"
row http-post http "$url"
stop
start "$bin/ceiling" --echo
row ws-echo ws "$url"
