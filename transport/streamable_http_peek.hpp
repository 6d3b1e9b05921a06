#pragma once
// A look at what a POST carries, just enough to choose a status code before a session sees it: is it JSON, is
// it JSON-RPC, does it ask something, does it open a session. One pass of a SAX parser over the bytes; no
// document is built, and depth is bounded. A pure function: thread-safe.

#include <string_view>

namespace cafmcp::transport {

/// What `peek` saw.
struct peeked {
  enum class shape : unsigned char {
    not_json,  ///< -32700
    bad,       ///< -32600: JSON, but no JSON-RPC message, or nested too deeply
    message,   ///< one object
    batch,     ///< a non-empty array of objects
  };

  shape what = shape::not_json;
  bool requests = false;    ///< it holds at least one request: something must be answered
  bool initialize = false;  ///< one of its requests is `initialize`
};

/// Looks.
peeked peek(std::string_view bytes);

}  // namespace cafmcp::transport
