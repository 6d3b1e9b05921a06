#pragma once
// A strict JSON scanner: one pass over the bytes that proves every token valid and remembers where the wanted
// members are, without building anything. That is why slices can be passed on as they are. It is stricter
// than it has to be in one point (a lone surrogate is refused, since no UTF-8 can carry it) and looser than
// simdjson in one (numbers of any size are valid JSON, and pass through). UTF-8 is checked by `validate`.
// A scanner belongs to one thread; the functions are pure.

#include <cstddef>
#include <span>
#include <string_view>

namespace cafmcp::mcp {

/// How a scan ended.
enum class scan_status : unsigned char { ok, syntax, too_deep };

/// A member to look for in an object.
struct field {
  std::string_view name;
  std::string_view value = {};  ///< raw JSON; empty: absent. The last one, if there are several.
  bool repeated = false;
};

/// Deepest nesting that can be asked for.
inline constexpr std::size_t max_scan_depth = 1024;

/// A place in bytes that it doesn't own.
class scanner {
 public:
  /// `max_depth` objects and arrays may be open at once (1 to `max_scan_depth`).
  scanner(std::string_view bytes, std::size_t max_depth) noexcept
      : at_(bytes.data()), end_(bytes.data() + bytes.size()), max_depth_(max_depth) {}

  /// Skips white space; the character that follows, or '\0' at the end.
  char peek() noexcept;
  /// Whether nothing but white space is left.
  bool at_end() noexcept;
  /// Where the scanner is.
  const char* at() const noexcept { return at_; }

  /// Skips one value of any kind. `open`: containers open around it.
  scan_status value(std::size_t open = 0) noexcept;
  /// Skips one object and fills in the members asked for.
  scan_status object(std::span<field> wanted) noexcept;
  /// Skips a comma or the `closer` between the elements of a container: 1 comma, 0 closer, -1 neither.
  int separator(char closer) noexcept;

 private:
  bool string(bool& escaped) noexcept;
  bool escape() noexcept;
  bool hex_digits(unsigned& value) noexcept;
  bool number() noexcept;
  bool digits() noexcept;
  bool literal(std::string_view text) noexcept;
  bool scalar() noexcept;
  bool key() noexcept;
  bool member(std::span<field> wanted, field*& found) noexcept;
  bool take(char c) noexcept;

  const char* at_;
  const char* end_;
  std::size_t max_depth_;
};

/// Whether `bytes` are exactly one valid JSON value in UTF-8, at most `max_depth` deep.
bool valid_json(std::string_view bytes, std::size_t max_depth = max_scan_depth) noexcept;

/// Fills in members of `object`, which was found valid; nothing is found if it isn't an object. False if one
/// of those asked for is there twice, as readers disagree about which of the two counts.
bool read_fields(std::string_view object, std::span<field> wanted) noexcept;

/// Whether a raw value is of that kind, by its first byte.
inline bool is_object(std::string_view raw) noexcept {
  return raw.starts_with('{');
}
inline bool is_string(std::string_view raw) noexcept {
  return raw.starts_with('"');
}
/// Whether a raw value is an integer: no fraction, no exponent.
bool is_integer(std::string_view raw) noexcept;

}  // namespace cafmcp::mcp
