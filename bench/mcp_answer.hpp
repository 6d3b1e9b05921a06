#pragma once
// What an MCP client that measures has to know of a message that came: is it an answer, to which request, and
// is it a success. simdjson looks for the few keys that say so; no tree is built and no content read.

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/json_reader.hpp"

namespace cafmcp::bench {

struct mcp_answer {
  enum class kind : unsigned char {
    success,    ///< a result, and not one with `isError`
    failure,    ///< an error, or a result with `isError`
    request,    ///< from the server; it has an id of the server's
    notified,   ///< a notification
    malformed,  ///< no JSON object, none of the above, or an answer whose id is no whole number of ours
  };
  kind what = kind::malformed;
  std::uint64_t id = 0;   ///< of a success or failure
  std::int64_t code = 0;  ///< of an error; 0 when there is none
  std::string detail;     ///< the begin of a failure or of what is malformed, for a person
};

/// Reads one message after the other. One a thread; thread-compatible.
class answer_reader {
 public:
  /// Looks at `message`, behind which `room` bytes may be read (`json_reader`).
  mcp_answer read(std::string_view message, std::size_t room = 0);

 private:
  json_reader json_;
};

/// The begin of `text`, for a message to a person: at most 200 bytes, without control characters.
std::string excerpt(std::string_view text);

}  // namespace cafmcp::bench
