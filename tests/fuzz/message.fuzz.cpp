// Messages: parse, parse_batch and canonical_id beside nlohmann's parser, and what is written again.
// words: json.dict
#include "mcp/message.hpp"

#include <nlohmann/json.hpp>

#include "mcp/text.hpp"
#include "mcp/writer.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/json_oracle.hpp"

namespace {

using namespace cafmcp::mcp;
using namespace cafmcp::fuzz;
using verdict = json_seen::verdict;

// Small, so that short inputs reach them.
constexpr parse_limits limits{.max_bytes = 2000, .max_depth = 12, .max_id_bytes = 256, .max_batch = 4};

expected_message kind_of(const message& m) {
  switch (m.kind()) {
    case message_kind::request:
      return expected_message::request;
    case message_kind::notification:
      return expected_message::notification;
    case message_kind::response:
      return expected_message::response;
    case message_kind::error:
      break;
  }
  return expected_message::error;
}

// On one line, as it goes to a stream.
std::string one_line(std::string_view raw) {
  std::string out;
  append_raw(out, raw);
  return out;
}

bool is_id(std::string_view raw) {
  const auto id = look_at(raw);
  return id.what == verdict::unknown ||
         (id.what == verdict::valid && (id.kind == json_kind::string || id.kind == json_kind::integer));
}

void check_slice(const message& m, std::string_view slice, bool object) {
  if (slice.empty())
    return;
  const auto& all = m.bytes();
  FUZZ_CHECK(slice.data() >= all.data() && slice.data() + slice.size() <= all.data() + all.size(), all);
  const auto seen = look_at(slice);
  FUZZ_CHECK(seen.what != verdict::invalid, all);
  FUZZ_CHECK(!object || seen.what == verdict::unknown || seen.kind == json_kind::object, all);
}

bool same(const message& a, const message& b) {
  return a.kind() == b.kind() && one_line(a.id()) == b.id() && a.method() == b.method() &&
         one_line(a.params()) == b.params() && one_line(a.result()) == b.result() &&
         one_line(a.error()) == b.error();
}

std::string rewritten(const message& m) {
  switch (m.kind()) {
    case message_kind::request:
      return write_request(m.id(), m.method(), m.params());
    case message_kind::notification:
      return write_notification(m.method(), m.params());
    case message_kind::response:
      return write_result(m.id(), m.result());
    case message_kind::error:
      break;
  }
  const std::string id = m.id().empty() ? "null" : std::string(m.id());
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"error":)" + one_line(m.error()) + "}";
}

void check_rewritten(const message& m) {
  const auto bytes = rewritten(m);
  FUZZ_CHECK(bytes.find_first_of("\r\n") == std::string::npos, bytes);
  const auto again = parse(bytes);
  FUZZ_CHECK(again.has_value(), bytes);
  FUZZ_CHECK(same(m, *again), bytes);
}

// Equal ids, and only those, have equal keys.
void check_id(std::string_view raw) {
  FUZZ_CHECK(is_id(raw), raw);
  const auto key = canonical_id(raw);
  FUZZ_CHECK(is_id(key) && canonical_id(key) == key, raw);
  const auto id = nlohmann::json::parse(raw, nullptr, false);
  if (id.is_discarded())
    return;
  FUZZ_CHECK(nlohmann::json::parse(key) == id, raw);
  if (id.is_string()) {
    std::string plain;
    append_string(plain, id.get<std::string>());
    FUZZ_CHECK(canonical_id(plain) == key && canonical_id(id.dump(-1, ' ', true)) == key, raw);
  } else if (!id.is_number_float()) {
    FUZZ_CHECK(id.dump() == key, raw);
  }
}

void check_message(const message& m) {
  for (const auto part : {m.params(), m.result(), m.error()})
    check_slice(m, part, true);
  check_slice(m, m.id(), false);
  FUZZ_CHECK(m.id().size() <= limits.max_id_bytes, m.bytes());
  if (!m.id().empty())
    check_id(m.id());
  check_rewritten(m);
  auto copy = m;
  const auto moved = std::move(copy);
  FUZZ_CHECK(moved.bytes() == m.bytes() && moved.id() == m.id() && moved.method() == m.method() &&
                 moved.params() == m.params() && moved.result() == m.result() && moved.error() == m.error(),
             m.bytes());
}

void check_refusal(const refusal& why, std::string_view bytes) {
  FUZZ_CHECK(why.id == "null" || is_id(why.id), bytes);
  const auto answer = write_error(why.id, why.error);
  FUZZ_CHECK(answer.find_first_of("\r\n") == std::string::npos, bytes);
  FUZZ_CHECK(parse(answer).has_value(), bytes);
}

// `whole` is what the bytes are by the oracle.
void check_parsed(const parsed& m, const json_seen& whole, std::string_view bytes) {
  if (m)
    check_message(*m);
  else
    check_refusal(m.error(), bytes);
  if (whole.what == verdict::unknown)
    return;
  const bool too_deep = whole.depth > limits.max_depth;
  const int code = m ? 0 : m.error().error.code;
  if (whole.what == verdict::invalid) {
    // Scanning ends where it gets too deep, maybe before the place that is no JSON.
    FUZZ_CHECK(code == code::parse_error || (code == code::invalid_request && too_deep), bytes);
    return;
  }
  FUZZ_CHECK(code != code::parse_error, bytes);
  auto expected = too_deep ? expected_message::none : expected_of(whole);
  // The version has to be spelled plainly.
  if (!m && m.error().error.message.find("jsonrpc is not") != std::string::npos)
    expected = expected_message::none;
  if (expected != expected_message::unknown)
    FUZZ_CHECK((m ? kind_of(*m) : expected_message::none) == expected, bytes);
}

void check_single(std::string_view bytes, const json_seen& whole) {
  const auto m = parse(std::string(bytes), limits);
  if (bytes.size() <= limits.max_bytes)
    return check_parsed(m, whole, bytes);
  FUZZ_CHECK(!m && m.error().error.code == code::invalid_request, bytes);
}

void check_batch(std::string_view bytes, const json_seen& whole) {
  const auto batch = parse_batch(bytes, limits);
  if (!batch) {
    check_refusal(batch.error(), bytes);
    const bool json = whole.what == verdict::valid && whole.depth <= max_scan_depth;
    if (bytes.size() <= limits.max_bytes && json)
      FUZZ_CHECK(batch.error().error.code == code::invalid_request, bytes);
    return;
  }
  FUZZ_CHECK(looks_like_batch(bytes) && whole.what != verdict::invalid, bytes);
  FUZZ_CHECK(!batch->empty() && batch->size() <= limits.max_batch, bytes);
  if (whole.what == verdict::valid)
    FUZZ_CHECK(whole.kind == json_kind::array && batch->size() == whole.elements, bytes);
  for (const auto& m : *batch) {
    if (!m) {
      // Each element was proved to be JSON.
      FUZZ_CHECK(m.error().error.code == code::invalid_request, bytes);
      check_refusal(m.error(), bytes);
      continue;
    }
    FUZZ_CHECK(m->method() != "initialize", bytes);
    check_parsed(m, look_at(m->bytes()), m->bytes());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = text_of(data, size);
  const auto whole = look_at(bytes);
  check_single(bytes, whole);
  check_batch(bytes, whole);
  return 0;
}
