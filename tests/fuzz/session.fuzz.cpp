// Sessions: mcp::step over a sequence of messages, and what its changes make.
// A line each; a line that begins with '!' may initialize again.
// words: json.dict
#include "mcp/session.hpp"

#include <algorithm>

#include "mcp/notify.hpp"
#include "mcp/scan.hpp"
#include "mcp/writer.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/json_oracle.hpp"

namespace {

using namespace cafmcp::mcp;
using namespace cafmcp::fuzz;

constexpr std::size_t most_messages = 64;

// Bounds so small that short inputs reach them.
const server_info server{.name = "fuzz",
                         .title = "F\n",
                         .version = "1",
                         .instructions = "do",
                         .max_subscriptions = 3,
                         .max_uri_bytes = 48,
                         .max_client_bytes = 128};

catalogue::ptr make_offers() {
  catalogue_content parts;
  for (const auto* name : {"add", "echo", "sub", "\"quoted\\\n"})
    parts.tools.push_back({.name = name});
  for (const auto* uri : {"test://a", "test://b", "test://c"})
    parts.resources.push_back({.uri = uri, .name = uri});
  parts.templates.push_back({.uri_template = "test://t/{id}", .name = "t"});
  parts.templates.push_back({.uri_template = "test://u/{a}/x{b}{+rest}", .name = "u"});
  parts.prompts.push_back({.name = "p", .arguments = {{.name = "who", .required = true}, {.name = "how"}}});
  return catalogue::make(std::move(parts), {.items = 2, .bytes = 1000}).value();
}

const catalogue& offers() {
  static const auto all = make_offers();
  return *all;
}

bool one_line_of_json(std::string_view bytes) {
  return valid_json(bytes) && may_be_json(bytes) && bytes.find_first_of("\r\n") == std::string_view::npos;
}

/// Whether bytes are what a strict client takes as an answer to `id`.
bool answers(const std::string& bytes, std::string_view id) {
  const auto m = parse(bytes);
  return one_line_of_json(bytes) && m && m->id() == id &&
         (m->kind() == message_kind::response || m->kind() == message_kind::error);
}

void check_call(const call& c, const message& m) {
  const auto& about = m.bytes();
  FUZZ_CHECK(c.id == m.id() && is_object(c.arguments) && valid_json(c.arguments), about);
  FUZZ_CHECK(c.context.empty() || (is_object(c.context) && valid_json(c.context)), about);
  FUZZ_CHECK(c.meta.empty() || (is_object(c.meta) && valid_json(c.meta)), about);
  FUZZ_CHECK(c.progress_token.empty() || is_string(c.progress_token) || is_integer(c.progress_token), about);
  switch (c.method) {
    case method::tools_call:
      FUZZ_CHECK(offers().find_tool(c.name) != nullptr, about);
      break;
    case method::prompts_get:
      FUZZ_CHECK(offers().find_prompt(c.name) != nullptr, about);
      break;
    case method::resources_read:
      FUZZ_CHECK(offers().readable(c.name) && c.name.size() <= server.max_uri_bytes, about);
      break;
    default:
      FUZZ_CHECK(c.method == method::completion_complete, about);
  }
  const auto arguments = parsed_arguments(c);
  FUZZ_CHECK(!arguments || arguments->is_object(), about);
  FUZZ_CHECK(answers(finish(c, text_result("x\n")), m.id()), about);
  FUZZ_CHECK(answers(finish(c, internal_error(c.name)), m.id()), about);
  FUZZ_CHECK(answers(finish_raw(c, c.arguments), m.id()), about);
  FUZZ_CHECK(answers(finish_bad_arguments(c, c.arguments), m.id()), about);
  if (const auto note = progress_message(c.version, c.progress_token, 0.5, 1.0, c.name)) {
    FUZZ_CHECK(one_line_of_json(*note) && parse(*note).has_value(), about);
  }
}

/// What is handed out for the caller to look up.
void check_look_ups(const outcome& o, const message& m) {
  const auto& about = m.bytes();
  if (o.cancelled) {
    FUZZ_CHECK(valid_json(o.cancelled->id) && canonical_id(o.cancelled->id) == o.cancelled->id, about);
  }
  if (o.answer) {
    FUZZ_CHECK(o.answer->id == canonical_id(m.id()) && is_object(o.answer->body), about);
    FUZZ_CHECK(o.answer->is_error == (m.kind() == message_kind::error), about);
  }
  if (o.progress) {
    FUZZ_CHECK(valid_json(o.progress->token) && o.progress->params == m.params(), about);
  }
}

/// A request gets one answer or one call, everything else silence.
void check_outcome(const outcome& o, const message& m) {
  const auto& about = m.bytes();
  if (m.is_request()) {
    FUZZ_CHECK(o.out.size() + (o.call ? 1 : 0) == 1, about);
    FUZZ_CHECK(!o.cancelled && !o.answer && !o.progress && !o.roots_changed, about);
  } else {
    FUZZ_CHECK(o.out.empty() && !o.call, about);
  }
  for (const auto& bytes : o.out)
    FUZZ_CHECK(answers(bytes, m.id()), bytes);
  if (o.call)
    check_call(*o.call, m);
  check_look_ups(o, m);
}

bool same(const outcome& a, const outcome& b) {
  return a.changes == b.changes && a.out == b.out && a.call == b.call &&
         a.cancelled.has_value() == b.cancelled.has_value() && a.answer.has_value() == b.answer.has_value() &&
         a.progress.has_value() == b.progress.has_value() && a.roots_changed == b.roots_changed;
}

/// What is sent to a session in this state, if anything, are notifications on one line.
void check_notifications(const session_state& state, std::string_view about) {
  std::vector<std::optional<std::string>> notes{
      log_message(state, log_level::error, about, R"({"a":1})"), list_changed(state, changed_list::tools),
      resource_updated(state, "test://a"), cancel_message("1", about)};
  for (const auto& uri : state.subscriptions) {
    notes.push_back(resource_updated(state, uri));
    FUZZ_CHECK(notes.back().has_value() || state.phase != session_phase::ready, about);
  }
  for (const auto& note : notes) {
    if (!note)
      continue;
    const auto m = parse(*note);
    FUZZ_CHECK(one_line_of_json(*note) && m && m->kind() == message_kind::notification, *note);
  }
}

void check_state(const session_state& state, std::string_view about) {
  session_state rebuilt;
  for (const auto& c : changes_of(state))
    FUZZ_CHECK(apply(rebuilt, c).has_value(), about);
  FUZZ_CHECK(rebuilt == state, about);
  FUZZ_CHECK(has(state.version, feature::session), about);
  FUZZ_CHECK(state.subscriptions.size() <= server.max_subscriptions, about);
  for (const auto& uri : state.subscriptions)
    FUZZ_CHECK(uri.size() <= server.max_uri_bytes && offers().readable(uri), about);
  const bool fresh = state.phase == session_phase::fresh;
  for (const auto& raw : {state.client_info, state.client_capabilities}) {
    FUZZ_CHECK(raw.size() <= server.max_client_bytes && fresh == raw.empty(), about);
    FUZZ_CHECK(fresh || (is_object(raw) && valid_json(raw)), about);
  }
}

/// One session under test, and one that only gets its changes.
class session {
 public:
  void take(std::string_view line) {
    const bool again = line.starts_with('!');
    line.remove_prefix(again ? 1 : 0);
    if (!looks_like_batch(line))
      return take(parse(std::string(line)), again);
    if (const auto batch = parse_batch(line))
      for (const auto& m : *batch)
        take(m, again);
  }

 private:
  void take(const parsed& m, bool again) {
    if (!m) {
      const auto why = m.error();
      FUZZ_CHECK(answers(write_error(why.id, why.error), why.id == "null" ? "" : why.id), why.id);
      return;
    }
    const step_options options{.allow_reinitialize = again, .initialize_meta = R"({"a":1})"};
    const auto before = state_;
    const auto o = step(state_, *m, offers(), server, options);
    FUZZ_CHECK(state_ == before && same(o, step(state_, *m, offers(), server, options)), m->bytes());
    check_outcome(o, *m);
    for (const auto& c : o.changes)
      FUZZ_CHECK(apply(state_, c).has_value() && apply(replayed_, c).has_value(), m->bytes());
    FUZZ_CHECK(state_ == replayed_ && (o.changes.empty() || state_ != before || again), m->bytes());
    FUZZ_CHECK(before.phase <= state_.phase || again, m->bytes());
    check_state(state_, m->bytes());
    check_notifications(state_, m->bytes());
  }

  session_state state_;
  session_state replayed_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto rest = text_of(data, size);
  session s;
  for (std::size_t n = 0; n < most_messages && !rest.empty(); ++n) {
    const auto end = std::min(rest.find('\n'), rest.size());
    s.take(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return 0;
}
