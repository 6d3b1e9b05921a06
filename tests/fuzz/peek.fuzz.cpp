// Peeks: what transport sees of a POST before a session does must agree with mcp::parse.
// words: json.dict
#include "transport/streamable_http_peek.hpp"

#include <algorithm>

#include "mcp/message.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/json_oracle.hpp"

namespace {

using namespace cafmcp::mcp;
using namespace cafmcp::fuzz;
using cafmcp::transport::peek;
using cafmcp::transport::peeked;
using shape = peeked::shape;

// A request that peek overlooked would be answered 202 and never get its answer; and an `initialize` that it
// overlooked would need a session to make one.
void check_message(const message& m, const peeked& seen) {
  FUZZ_CHECK(seen.what == shape::message, m.bytes());
  FUZZ_CHECK(seen.requests == m.is_request(), m.bytes());
  FUZZ_CHECK(seen.initialize == (m.is_request() && m.method() == "initialize"), m.bytes());
}

void check_batch(const std::vector<parsed>& batch, const peeked& seen, std::string_view bytes) {
  const auto good = [](const parsed& m) { return m.has_value(); };
  const auto request = [](const parsed& m) { return m && m->is_request(); };
  FUZZ_CHECK(seen.what == shape::batch || seen.what == shape::bad, bytes);
  if (!std::all_of(batch.begin(), batch.end(), good))
    return;
  FUZZ_CHECK(seen.what == shape::batch && !seen.initialize, bytes);
  FUZZ_CHECK(seen.requests == std::any_of(batch.begin(), batch.end(), request), bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = text_of(data, size);
  const auto seen = peek(bytes);
  const auto whole = look_at(bytes);
  const parse_limits limits{.max_id_bytes = 1 << 20, .max_batch = 1 << 20};
  const auto m = parse(std::string(bytes), limits);
  const auto batch = parse_batch(bytes, limits);
  // Known: nlohmann, which peek uses, refuses numbers beyond a double, which sessions pass through.
  if (whole.what == json_seen::verdict::unknown)
    return 0;
  if (m)
    check_message(*m, seen);
  else if (batch)
    check_batch(*batch, seen, bytes);
  if (whole.what == json_seen::verdict::valid)
    FUZZ_CHECK(seen.what != shape::not_json, bytes);
  if (seen.what == shape::not_json)
    FUZZ_CHECK(!m && !batch, bytes);
  // What is refused as no JSON-RPC is refused by a session, too.
  if (seen.what == shape::bad)
    FUZZ_CHECK(!m && (!batch || std::any_of(batch->begin(), batch->end(), [](const auto& e) { return !e; })),
               bytes);
  return 0;
}
