#pragma once
// The table of all configuration keys: one row a key. The loader, `--help`, the check of `cafmcpd.yaml`, the
// comparison for a reload and the warning about keys without effect all read it; to add a key, add a member
// to `settings` and a row here. The entries of `servers` have a table of their own, of the same make. Rows
// are constants: thread-safe.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/settings.hpp"

namespace cafmcp::config {

/// How a key's value is written.
enum class kind : unsigned char {
  text,       ///< anything without control characters
  label,      ///< letters, digits, `.`, `_`, `-`
  url,        ///< http:// or https://, or empty
  boolean,    ///< true, false
  count,      ///< a whole number
  size,       ///< bytes, `4MiB`
  duration,   ///< `30s`
  address,    ///< HOST:PORT, and `off` where the member is optional
  addresses,  ///< a list, or HOST:PORT,HOST:PORT
  urls,       ///< the same of URLs
  choice,     ///< one of a few words
  words,      ///< a list of texts
  map,        ///< texts by name
  servers,    ///< a list of `server`
};

/// The member that a key is bound to.
using slot =
    std::variant<std::string*, bool*, std::uint64_t*, milliseconds*, address*, std::optional<address>*,
                 std::vector<address>*, std::vector<std::string>*, std::map<std::string, std::string>*,
                 durability*, server::scope_type*, log::level*, log::format*, std::vector<server>*>;

/// What else is true of a key; a row has the sum of them.
enum trait : unsigned char {
  plain = 0,
  reloadable = 1,  ///< SIGHUP changes it in a running node
  pending = 2,     ///< accepted, but what it configures is not built yet: the node warns
  secret = 4,      ///< never shown
};

/// Smallest and largest value: of a count, of a size in bytes, of a duration in milliseconds, of the port of
/// an address, of the length of a text in bytes. Other kinds have none.
struct range {
  std::uint64_t min;
  std::uint64_t max;
};

/// One row. `T` is what it is a key of: `settings` or `server`.
template <class T>
struct key {
  std::string_view path;  ///< with dots
  kind type;
  range bounds;
  unsigned traits;
  std::string_view about;  ///< one line, for `--help`
  slot (*at)(T&);

  bool has(trait t) const { return (traits & t) != 0; }
};

/// The rows, in the order in which users read them.
std::span<const key<settings>> schema();
std::span<const key<server>> server_schema();

/// The row of `path`, or null.
const key<settings>* find_key(std::string_view path);

/// `CAFMCP_LIMITS_BODY_BYTES` for `limits.body_bytes`.
std::string environment_name(std::string_view path);

/// The words that a choice may be, in the order of its enumerators; empty for other slots.
std::span<const std::string_view> choices(const slot& s);

/// The one of `candidates` that `word` was probably meant to be: few letters differ, or the section is
/// missing. Empty if none.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// All keys with type, range, default and meaning, for `--help`.
std::string describe_keys();

}  // namespace cafmcp::config
