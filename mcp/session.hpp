#pragma once
// The protocol part of a session, as a function: what a message does to a state. `step` changes nothing; it
// says which changes to make, which bytes to send, and what there is to run, and its caller (the session
// actor) stores, sends and runs. So the same message to the same state gives the same outcome on every node
// and in the simulator. What needs a table of running requests (cancellation, progress, answers of the
// client) is handed out for the caller to look up; ids that are not found there are ignored. Pure:
// thread-safe. MCP: Lifecycle; Utilities (ping, cancellation, progress, logging, pagination).

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/call.hpp"
#include "mcp/catalogue.hpp"
#include "mcp/message.hpp"
#include "mcp/session_state.hpp"

namespace cafmcp::mcp {

/// Who the server says it is, and what it takes part in beside what the catalogue holds.
struct server_info {
  std::string name = "cafmcp";
  std::string title = {};  ///< empty: absent
  std::string version = "0";
  std::string website_url = {};   ///< empty: absent
  json icons = {};                ///< null: absent
  std::string instructions = {};  ///< for models; empty: absent
  bool logging = true;
  bool completions = true;  ///< if there is anything to complete
  bool subscriptions = true;
  bool list_changed = true;
  bool offer_empty =
      true;  ///< tools, resources and prompts exist even while the catalogue has none: they may come
  std::size_t max_subscriptions = 256;
  std::size_t max_uri_bytes = 4096;      ///< of a URI: matching it against templates takes time
  std::size_t max_client_bytes = 16384;  ///< of the client's info, and of its capabilities
};

/// What the transport adds.
struct step_options {
  bool allow_reinitialize = false;  ///< a resumed WebSocket: `initialize` renegotiates, the session stays
  std::string_view initialize_meta = {};  ///< raw object for `_meta` of the initialize result; empty: none
};

/// The client gave up a request.
struct cancellation {
  std::string id = {};      ///< canonical, see `canonical_id`
  std::string reason = {};  ///< empty: none
};

/// The client answered one of our requests.
struct client_answer {
  std::string id = {};  ///< canonical; empty: an error that answers nothing
  bool is_error = false;
  std::string body = {};  ///< the raw result or error
};

/// The client reports on one of our requests.
struct client_progress {
  std::string token = {};   ///< raw
  std::string params = {};  ///< raw, whole
};

/// What a message does.
struct outcome {
  std::vector<change> changes = {};    ///< to apply, and to store before `out` is sent
  std::vector<std::string> out = {};   ///< messages for the client, in order
  std::optional<mcp::call> call = {};  ///< to run; `finish` makes the answer
  std::optional<mcp::cancellation> cancelled = {};
  std::optional<client_answer> answer = {};
  std::optional<client_progress> progress = {};
  bool roots_changed = false;  ///< what was known of the client's roots is old
};

/// See above.
outcome step(const session_state& state, const message& m, const catalogue& offers, const server_info& server,
             const step_options& options = {});

/// What a server with this catalogue offers in revision `r`.
capability_set offered_by(const catalogue& offers, const server_info& server, revision r) noexcept;

}  // namespace cafmcp::mcp
