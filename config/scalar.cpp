#include "config/scalar.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace cafmcp::config {

namespace {

/// A bound as users write it.
std::string format_bound(kind type, std::uint64_t n) {
  if (type == kind::size) {
    return format_size(n);
  }
  return type == kind::duration ? format_duration(milliseconds{static_cast<milliseconds::rep>(n)})
                                : std::to_string(n);
}

std::string between(kind type, const range& b) {
  return fmt::format("between {} and {}", format_bound(type, b.min), format_bound(type, b.max));
}

bool is_label(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool is_url(std::string_view s) {
  const std::size_t scheme = s.starts_with("http://") ? 7 : s.starts_with("https://") ? 8 : 0;
  return scheme != 0 && s.size() > scheme && s[scheme] != '/' && s.find(' ') == std::string_view::npos;
}

/// Texts may be secrets, and URLs may hold them: complaints about them do without the value.
std::string check_text(kind type, const range& b, const std::string& s) {
  if (s.size() < b.min || s.size() > b.max) {
    return fmt::format("has {} bytes; it must have {}", s.size(), between(kind::count, b));
  }
  if (std::any_of(s.begin(), s.end(), is_control)) {
    return "contains a control character; remove it";
  }
  if (type == kind::label && !std::all_of(s.begin(), s.end(), is_label)) {
    return quote(s) + " may only have letters, digits, '.', '_' and '-'";
  }
  if (type == kind::url && !s.empty() && !is_url(s)) {
    return "is not a URL; it must begin with http://HOST or https://HOST";
  }
  return {};
}

/// One overload for each type of member.
struct writer {
  kind type;
  const range& bounds;
  const std::string& value;

  /// Stores what was parsed, if its measure is within the bounds.
  template <class V>
  std::string store(const result<V>& parsed, V& out, std::uint64_t (*measure)(const V&)) const {
    if (!parsed) {
      return parsed.error().message;
    }
    if (const auto n = measure(*parsed); n < bounds.min || n > bounds.max) {
      return fmt::format("{} is out of range; it must be {}", quote(value), between(type, bounds));
    }
    out = *parsed;
    return {};
  }

  std::string operator()(std::string* out) const {
    auto wrong = check_text(type, bounds, value);
    if (wrong.empty()) {
      *out = value;
    }
    return wrong;
  }
  std::string operator()(bool* out) const {
    const auto parsed = parse_boolean(value);
    if (!parsed) {
      return parsed.error().message;
    }
    *out = *parsed;
    return {};
  }
  std::string operator()(std::uint64_t* out) const {
    return store<std::uint64_t>(type == kind::size ? parse_size(value) : parse_count(value), *out,
                                [](const auto& n) { return n; });
  }
  std::string operator()(milliseconds* out) const {
    return store<milliseconds>(parse_duration(value), *out,
                               [](const auto& d) { return static_cast<std::uint64_t>(d.count()); });
  }
  std::string operator()(address* out) const {
    const auto port = [](const address& a) { return std::uint64_t{a.port}; };
    auto wrong = store<address>(parse_address(value), *out, port);
    return wrong;
  }
  std::string operator()(std::optional<address>* out) const {
    if (value.empty() || value == "off") {
      out->reset();
      return {};
    }
    address a;
    auto wrong = (*this)(&a);
    if (wrong.empty()) {
      *out = a;
    }
    return wrong;
  }
  template <class E>
  requires std::is_enum_v<E> std::string operator()(E* out) const {
    const auto words = choices(out);
    const auto i = std::find(words.begin(), words.end(), value);
    if (i == words.end()) {
      return fmt::format("{} is not one of {}", quote(value), fmt::join(words, ", "));
    }
    *out = static_cast<E>(i - words.begin());
    return {};
  }
  template <class Container>
  std::string operator()(Container*) const {
    return "is more than a single value";
  }
};

}  // namespace

std::string write_scalar(kind type, const range& bounds, const slot& s, const std::string& value) {
  return std::visit(writer{type, bounds, value}, s);
}

std::string expectation(kind type, const range& bounds, const slot& s) {
  switch (type) {
    case kind::text:
      return "a text";
    case kind::label:
      return "a name";
    case kind::url:
      return "a URL";
    case kind::boolean:
      return "true or false";
    case kind::count:
      return "a number " + between(type, bounds);
    case kind::size:
      return "a size " + between(type, bounds);
    case kind::duration:
      return "a duration " + between(type, bounds);
    case kind::address:
      return std::holds_alternative<std::optional<address>*>(s) ? "HOST:PORT or off" : "HOST:PORT";
    case kind::addresses:
      return "a list of HOST:PORT";
    case kind::urls:
      return "a list of URLs";
    case kind::choice:
      return fmt::format("one of {}", fmt::join(choices(s), ", "));
    case kind::words:
      return "a list of texts";
    case kind::map:
      return "a map of texts";
    case kind::servers:
      break;
  }
  return "a list of servers";
}

}  // namespace cafmcp::config
