#include "mcp/message.hpp"

#include <simdjson.h>

#include <array>
#include <limits>
#include <stdexcept>

#include "mcp/text.hpp"

namespace cafmcp::mcp {
namespace {

enum member : std::size_t { m_jsonrpc, m_id, m_method, m_params, m_result, m_error };

using members = std::array<field, 6>;

members envelope_members() noexcept {
  return {{{"jsonrpc"}, {"id"}, {"method"}, {"params"}, {"result"}, {"error"}}};
}

std::string_view inside(std::string_view raw_string) noexcept {
  return raw_string.substr(1, raw_string.size() - 2);
}

bool valid_id(std::string_view raw, const parse_limits& limits) noexcept {
  return raw.size() <= limits.max_id_bytes && (is_string(raw) || is_integer(raw));
}

bool valid_error(std::string_view raw) noexcept {
  std::array<field, 2> parts{{{"code"}, {"message"}}};
  return is_object(raw) && read_fields(raw, parts) && is_integer(parts[0].value) && is_string(parts[1].value);
}

refusal not_json(scan_status status) {
  if (status == scan_status::too_deep) {
    return {invalid_request("nested too deeply")};
  }
  return {parse_error()};
}

/// What is wrong with the shape of a request or notification; empty: nothing.
std::string_view fault_of_call(const members& found) noexcept {
  if (!is_string(found[m_method].value)) {
    return "method is not a string";
  }
  if (!found[m_result].value.empty() || !found[m_error].value.empty()) {
    return "both a method and an answer";
  }
  if (!found[m_params].value.empty() && !is_object(found[m_params].value)) {
    return "params is not an object";
  }
  return {};
}

/// The same for a response or error.
std::string_view fault_of_answer(const members& found) noexcept {
  const auto result = found[m_result].value;
  const auto error = found[m_error].value;
  if (result.empty() == error.empty()) {
    return "neither a call nor an answer";
  }
  if (!result.empty() && !is_object(result)) {
    return "result is not an object";
  }
  if (!error.empty() && !valid_error(error)) {
    return "error has no code or message";
  }
  return {};
}

std::string_view fault_of(const members& found, bool id_is_valid) noexcept {
  for (const auto& f : found) {
    if (f.repeated) {
      return "a member is there twice";
    }
  }
  if (found[m_jsonrpc].value != R"("2.0")") {
    return "jsonrpc is not \"2.0\"";
  }
  const bool call = !found[m_method].value.empty();
  // An error may come without an id, or with null, when the other side could not read what it answers.
  const bool id_may_lack =
      !found[m_error].value.empty() && !call && (found[m_id].value.empty() || found[m_id].value == "null");
  if (!id_is_valid && !id_may_lack && !(call && found[m_id].value.empty())) {
    return "id is neither a string nor an integer";
  }
  return call ? fault_of_call(found) : fault_of_answer(found);
}

}  // namespace

void throw_exception_from_error(const refusal& r, const boost::source_location&) {
  throw std::runtime_error(r.error.message);
}

void throw_exception_from_error(const rpc_error& e, const boost::source_location&) {
  throw std::runtime_error(e.message);
}

/// Fills in a message from the members that were found in its bytes.
class envelope {
 public:
  static void fill(message& m, const members& found) {
    const auto slice = [&](member which) {
      const auto value = found[which].value;
      return value.empty() ? message::slice{}
                           : message::slice{static_cast<std::uint32_t>(value.data() - m.bytes_.data()),
                                            static_cast<std::uint32_t>(value.size())};
    };
    m.id_ = found[m_id].value == "null" ? message::slice{} : slice(m_id);
    m.params_ = slice(m_params);
    m.result_ = slice(m_result);
    m.error_ = slice(m_error);
    if (found[m_method].value.empty()) {
      m.kind_ = m.error_.size == 0 ? message_kind::response : message_kind::error;
      return;
    }
    m.kind_ = m.id_.size == 0 ? message_kind::notification : message_kind::request;
    m.method_ = slice(m_method);
    ++m.method_.at;
    m.method_.size -= 2;
    if (const auto name = m.view(m.method_); name.find('\\') != std::string_view::npos) {
      m.plain_method_ = unescape(name);
    }
  }
};

parsed parse(std::string bytes, const parse_limits& limits) {
  if (bytes.size() > limits.max_bytes || bytes.size() > std::numeric_limits<std::uint32_t>::max()) {
    return refusal{invalid_request("message too large")};
  }
  if (!simdjson::validate_utf8(bytes)) {
    return refusal{parse_error("not UTF-8")};
  }
  scanner scan(bytes, limits.max_depth);
  auto found = envelope_members();
  const bool object = scan.peek() == '{';
  if (const auto status = object ? scan.object(found) : scan.value(); status != scan_status::ok) {
    return not_json(status);
  }
  if (!scan.at_end()) {
    return refusal{parse_error("something follows the message")};
  }
  if (!object) {
    return refusal{invalid_request("not an object")};
  }
  const auto id = found[m_id].value;
  const bool id_is_valid = valid_id(id, limits);
  if (const auto fault = fault_of(found, id_is_valid); !fault.empty()) {
    // An id without a method is one of ours: an error that carries it would be taken for an answer.
    const bool answerable = id_is_valid && !found[m_id].repeated && !found[m_method].value.empty();
    return refusal{invalid_request(fault), answerable ? std::string(id) : "null"};
  }
  message m;
  const char* const before = bytes.data();
  m.bytes_ = std::move(bytes);
  // A short string moves with its owner, and the slices are counted from where the bytes are now.
  for (auto& f : found) {
    if (!f.value.empty()) {
      f.value = {m.bytes_.data() + (f.value.data() - before), f.value.size()};
    }
  }
  envelope::fill(m, found);
  return m;
}

bool looks_like_batch(std::string_view bytes) noexcept {
  return scanner(bytes, 1).peek() == '[';
}

boost::system::result<std::vector<parsed>, refusal> parse_batch(std::string_view bytes,
                                                                const parse_limits& limits) {
  if (bytes.size() > limits.max_bytes) {
    return refusal{invalid_request("message too large")};
  }
  if (scanner whole(bytes, max_scan_depth); !simdjson::validate_utf8(bytes.data(), bytes.size()) ||
                                            whole.value() != scan_status::ok || !whole.at_end()) {
    return refusal{parse_error()};
  }
  if (!looks_like_batch(bytes)) {
    return refusal{invalid_request("not a batch")};
  }
  const auto open = bytes.find('[');
  scanner scan(bytes.substr(open + 1), max_scan_depth);
  std::vector<parsed> messages;
  for (int more = scan.peek() == ']' ? 0 : 1; more == 1; more = scan.separator(']')) {
    if (messages.size() == limits.max_batch) {
      return refusal{invalid_request("too many messages in a batch")};
    }
    scan.peek();
    const char* begin = scan.at();
    scan.value();
    messages.push_back(parse(std::string(begin, scan.at()), limits));
    if (messages.back() && messages.back()->method() == "initialize") {
      return refusal{invalid_request("initialize in a batch")};
    }
  }
  if (messages.empty()) {
    return refusal{invalid_request("empty batch")};
  }
  return messages;
}

std::string canonical_id(std::string_view raw_id) {
  if (raw_id == "-0") {
    return "0";
  }
  if (!is_string(raw_id) || raw_id.find('\\') == std::string_view::npos) {
    return std::string(raw_id);
  }
  std::string out;
  append_string(out, unescape(inside(raw_id)));
  return out;
}

}  // namespace cafmcp::mcp
