#pragma once
// A JSON-RPC message as it came: it owns its bytes and knows where in them its parts are. All of it was
// proved to be valid JSON, so that parts can be passed on as they stand; what is in `params` beyond being an
// object is for the reader of the method to check. Value type, thread-compatible; the views live as long as
// the message does and isn't moved. MCP: Base Protocol, Messages; Batching (2025-03-26).

#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/errors.hpp"
#include "mcp/scan.hpp"

namespace cafmcp::mcp {

/// What a message is.
enum class message_kind : unsigned char { request, notification, response, error };

/// Bounds of parsing.
struct parse_limits {
  std::size_t max_bytes = std::size_t{64} << 20;  ///< of the message; below 4 GiB
  std::size_t max_depth = 64;                     ///< objects and arrays in each other, 1 to 1024
  std::size_t max_id_bytes = 256;                 ///< of a raw id
  std::size_t max_batch = 64;                     ///< messages in a batch
};

/// Why bytes are no message: the error to answer with, and the id to answer to.
struct refusal {
  rpc_error error;
  std::string id = "null";  ///< raw JSON; `null` where it can't be known
};

/// Needed by `boost::system::result::value()`; callers check first.
[[noreturn]] void throw_exception_from_error(const refusal& r, const boost::source_location&);
[[noreturn]] void throw_exception_from_error(const rpc_error& e, const boost::source_location&);

class message;
using parsed = boost::system::result<message, refusal>;

/// See above.
class message {
 public:
  message_kind kind() const noexcept { return kind_; }
  bool is_request() const noexcept { return kind_ == message_kind::request; }
  /// The raw id, with its type: `7` or `"7"`. Empty for notifications, and for errors that answer nothing.
  std::string_view id() const noexcept { return view(id_); }
  /// The method's name, unescaped; empty for answers.
  std::string_view method() const noexcept { return plain_method_.empty() ? view(method_) : plain_method_; }
  /// A raw object; empty if absent.
  std::string_view params() const noexcept { return view(params_); }
  /// The raw result of a response, an object.
  std::string_view result() const noexcept { return view(result_); }
  /// The raw error, an object with an integer `code` and a string `message`.
  std::string_view error() const noexcept { return view(error_); }
  /// All of it.
  const std::string& bytes() const noexcept { return bytes_; }

 private:
  friend parsed parse(std::string bytes, const parse_limits& limits);
  friend class envelope;

  /// Offsets instead of views, because the bytes of a short string move with it.
  struct slice {
    std::uint32_t at = 0;
    std::uint32_t size = 0;
  };

  message() = default;
  std::string_view view(slice s) const noexcept { return {bytes_.data() + s.at, s.size}; }

  std::string bytes_;
  std::string plain_method_;  // only if the method was written with escapes
  slice id_, method_, params_, result_, error_;
  message_kind kind_ = message_kind::request;
};

/// Reads one message. Errors: -32700 for what is no JSON (or no UTF-8), -32600 for JSON that is no message:
/// not an object (a batch is for `parse_batch`), a member twice, too deep, ids that are neither strings nor
/// integers, params that are no object. Unknown members are ignored. About 0.4 µs for 160 bytes.
parsed parse(std::string bytes, const parse_limits& limits = {});

/// Whether the bytes begin like a batch.
bool looks_like_batch(std::string_view bytes) noexcept;

/// Reads a batch: its messages, each with its own outcome; or why it is refused as a whole (no JSON, empty,
/// too long, or with an `initialize` in it). Only revision 2025-03-26 has batches; the caller checks that.
boost::system::result<std::vector<parsed>, refusal> parse_batch(std::string_view bytes,
                                                                const parse_limits& limits = {});

/// The id in the one spelling that equal ids share, as a key to look requests up: `"\u0061"` is `"a"`.
std::string canonical_id(std::string_view raw_id);

}  // namespace cafmcp::mcp
