#pragma once
// The least that answers an MCP client: a canned message with the id of the request put in. No session is
// kept, no tool looked up, no argument checked; what a server adds to this is its own cost. One a connection;
// thread-compatible.

#include <string>
#include <string_view>

#include "bench/json_reader.hpp"

namespace cafmcp::bench {

class canned_answers {
 public:
  enum class kind : unsigned char { nothing, initialize, other };

  /// Appends the answer to `message` to `out` and says what was asked; `nothing` for a notification. Any
  /// request but `initialize` is answered like a call of `echo` with the text "hello"; what is no JSON
  /// object, with a JSON-RPC error.
  kind append(std::string_view message, std::string& out);

 private:
  json_reader json_;
};

}  // namespace cafmcp::bench
