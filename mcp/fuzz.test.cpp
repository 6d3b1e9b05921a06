#define CAF_SUITE fuzz

#include <random>

#include "mcp/scan.hpp"
#include "mcp/session.hpp"
#include "mcp/writer.hpp"
#include "tests/unit/caf_test.hpp"

// Seeded mutations of valid messages through parse and step: whatever comes is met with silence or with one
// well-formed answer, and the state stays one that its changes can build.

using namespace cafmcp::mcp;

namespace {

const std::vector<std::string> seeds = {
    R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{"roots":{}},"clientInfo":{"name":"c","version":"1"}}})",
    R"({"jsonrpc":"2.0","method":"notifications/initialized"})",
    R"({"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"add","arguments":{"a":1,"b":[2.5,"\u00e9"]},"_meta":{"progressToken":1}}})",
    R"({"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"cursor":"abc"}})",
    R"({"jsonrpc":"2.0","id":3,"method":"resources/read","params":{"uri":"test://t/1"}})",
    R"({"jsonrpc":"2.0","id":4,"method":"resources/subscribe","params":{"uri":"test://t/1"}})",
    R"({"jsonrpc":"2.0","id":5,"method":"prompts/get","params":{"name":"p","arguments":{"who":"x"}}})",
    R"({"jsonrpc":"2.0","id":6,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"who","value":""}}})",
    R"({"jsonrpc":"2.0","id":7,"method":"logging/setLevel","params":{"level":"error"}})",
    R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3,"reason":"x"}})",
    R"({"jsonrpc":"2.0","id":8,"result":{"roots":[]}})",
    R"({"jsonrpc":"2.0","id":9,"error":{"code":-32000,"message":"x"}})",
};

class mutator {
 public:
  explicit mutator(unsigned seed) : random_(seed) {}

  std::size_t pick(std::size_t n) { return random_() % n; }

  std::string message() {
    auto text = seeds[pick(seeds.size())];
    for (auto n = pick(4); n > 0 && !text.empty(); --n) {
      mutate(text);
    }
    return text;
  }

 private:
  void mutate(std::string& text) {
    constexpr std::string_view pool = "{}[]\",:\\u019eE+-.tfnl \n\t\xff\xc3";
    const auto at = pick(text.size());
    switch (pick(6)) {
      case 0:
        text[at] = static_cast<char>(pick(256));
        return;
      case 1:
        text.erase(at, 1 + pick(8));
        return;
      case 2:
        text.insert(at, 1, pool[pick(pool.size())]);
        return;
      case 3:
        text.insert(at, text.substr(pick(text.size()), pick(30)));
        return;
      case 4: {
        const auto& other = seeds[pick(seeds.size())];
        text = text.substr(0, at) + other.substr(pick(other.size()));
        return;
      }
      default:
        replace_value(text, at);
    }
  }

  /// Puts a value of another kind after the next colon: still JSON, mostly.
  void replace_value(std::string& text, std::size_t at) {
    constexpr std::string_view values[] = {"null", "[]",   "{}",   "1e400",
                                           "-0",   "\"\"", "true", "\"tools/call\""};
    const auto colon = text.find(':', at);
    if (colon != std::string::npos) {
      const auto end = std::min(text.find_first_of(",}", colon), text.size());
      text.replace(colon + 1, end - colon - 1, values[pick(std::size(values))]);
    }
  }

  std::mt19937 random_;
};

catalogue::ptr offers() {
  catalogue_content parts;
  parts.tools.push_back({.name = "add"});
  parts.templates.push_back({.uri_template = "test://t/{id}", .name = "t"});
  parts.prompts.push_back({.name = "p", .arguments = {{.name = "who", .required = true}}});
  return catalogue::make(std::move(parts)).value();
}

/// Whether bytes are one line that a strict client takes as an answer to `id`.
bool answers(const std::string& bytes, std::string_view id) {
  if (!valid_json(bytes) || bytes.find_first_of("\r\n") != std::string::npos) {
    return false;
  }
  const auto m = parse(bytes);
  const auto shown = id == "null" ? std::string_view() : id;
  return m && m->id() == shown && (m->kind() == message_kind::response || m->kind() == message_kind::error);
}

void check_step(session_state& state, session_state& replayed, const message& m, const catalogue& all) {
  const auto result = step(state, m, all, {}, {.allow_reinitialize = true});
  const bool answered = result.out.size() == 1 && answers(result.out[0], m.id());
  if (m.is_request() ? answered == result.call.has_value() : !result.out.empty() || result.call) {
    CAF_ERROR("neither silence nor one answer to " << m.bytes());
  }
  if (result.call && (!valid_json(result.call->arguments) || result.call->id != m.id() ||
                      !answers(finish(*result.call, text_result("x")), m.id()))) {
    CAF_ERROR("a call that cannot be finished: " << m.bytes());
  }
  for (const auto& c : result.changes) {
    if (!apply(state, c) || !apply(replayed, c)) {
      CAF_ERROR("a change that cannot be applied: " << m.bytes());
    }
  }
}

}  // namespace

CAF_TEST(mutated messages are met with silence or a well formed answer) {
  mutator mutate(2026);
  const auto all = offers();
  session_state state;
  session_state replayed;
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    if (round % 500 == 0) {
      state = replayed = {};
    }
    const auto bytes = mutate.message();
    const auto m = parse(bytes);
    if (!m) {
      if (!answers(write_error(m.error().id, m.error().error), m.error().id)) {
        CAF_ERROR("a refusal that is no answer: " << bytes);
      }
      continue;
    }
    ++accepted;
    check_step(state, replayed, *m, *all);
  }
  CAF_CHECK(state == replayed);
  CAF_CHECK(accepted > 5000);
}

CAF_TEST(mutated batches do not crash) {
  mutator mutate(7);
  for (int round = 0; round < 3000; ++round) {
    const auto batch = "[" + mutate.message() + "," + mutate.message() + "]";
    const auto messages = parse_batch(batch);
    CAF_CHECK(!messages || !messages->empty());
  }
}
