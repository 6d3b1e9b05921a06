#pragma once
// What one HTTP listener lets its clients use. All of it can be changed while the server runs
// (`connection_set::set_limits`): a connection looks at its context's copy whenever it starts something. A
// plain value: thread-compatible.

#include <chrono>
#include <cstddef>

namespace cafmcp::transport {

/// Bounds for connections, sizes and times. Times are whole milliseconds, and greater than zero.
struct limits {
  std::size_t connections = 20000;          ///< open at once; one more is answered 503 and closed
  std::size_t connections_per_address = 0;  ///< open at once from one IPv4 address or IPv6 /64; 0: no bound
  std::size_t header_bytes = 16 * 1024;  ///< request line and headers; at least 1024 (less is taken as 1024)
  std::size_t body_bytes = 4 * 1024 * 1024;  ///< one request's body, after chunked decoding
  std::chrono::milliseconds header_timeout{
      10'000};  ///< from the first byte of a request to the end of its headers
  std::chrono::milliseconds idle_timeout{75'000};     ///< between requests, and before the first
  std::chrono::milliseconds write_timeout{30'000};    ///< for each 16 KiB of a response that the client takes
  std::chrono::milliseconds request_timeout{60'000};  ///< for reading a body; and again for the handler
};

}  // namespace cafmcp::transport
