#pragma once
// The built-in server `demo`: a tool for each thing that a node can do, for examples, drills and benchmarks.
// It is written with the SDK alone, so it is an example by itself.
//
// Tools: `echo`, `add`, `sleep`, `blob`, `progress`, `crash`, `node_info`, and `state_set`, `state_get`,
// `state_incr`, `state_keys` on the session's state. Their texts: strings as they are, everything else as
// JSON; `state_get` of a key that isn't there says `null` (its structured content has `found`). Resources
// `demo://readme`, `demo://planets`, `demo://pixel`, the template `demo://greeting/{name}`, and the prompt
// `greet`, the last two with completions of `name`.

#include "sdk/server.hpp"

namespace cafmcp::sdk {

/// A new one. Owns a thread for its timers.
server demo_server();

}  // namespace cafmcp::sdk
