#define CAF_SUITE request

#include "actors/request.hpp"

#include <mutex>

#include "actors/exchange.hpp"
#include "actors/session_entry.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using namespace cafmcp::actors;

namespace {

struct mailbox final : request_mailbox {
  void post(request_event event) override {
    const std::lock_guard lock{mutex};
    events.push_back(std::move(event));
  }
  std::mutex mutex;
  std::vector<request_event> events;
};

struct fixture {
  request_ptr make(const std::string& token = "1") {
    mcp::call c;
    c.id = "1";
    c.progress_token = token;
    return std::make_shared<request>(7, c, std::make_shared<session_info>(),
                                     std::make_shared<node_identity>(), box);
  }
  std::shared_ptr<mailbox> box = std::make_shared<mailbox>();
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(request_tests, fixture)

CAF_TEST(reports of a handler that runs inline are collected) {
  const auto r = make();
  auto events = r->run_inline([&] {
    r->progress(1);
    std::thread{[&] { r->progress(2); }}.join();
    r->finish("{}");
  });
  CAF_REQUIRE_EQUAL(events.size(), 2u);
  CAF_CHECK(std::holds_alternative<request_event::progress>(events[0].body));
  CAF_CHECK(std::holds_alternative<request_event::finish>(events[1].body));
  CAF_REQUIRE_EQUAL(box->events.size(), 1u);
  CAF_CHECK_EQUAL(box->events[0].serial, 7u);
}

CAF_TEST(only the first answer counts and nothing is reported behind it) {
  const auto r = make();
  r->finish("1");
  r->finish("2");
  r->progress(1);
  r->log(mcp::log_level::info, "", "1");
  CAF_CHECK_EQUAL(box->events.size(), 1u);
  CAF_CHECK(r->finished());
}

CAF_TEST(without a token there is no progress) {
  make("")->progress(1);
  CAF_CHECK(box->events.empty());
}

CAF_TEST(cancellation is told once and at once if it was before) {
  const auto r = make();
  int calls = 0;
  r->on_cancel([&] { ++calls; });
  r->cancel();
  r->cancel();
  CAF_CHECK_EQUAL(calls, 1);
  r->on_cancel([&] { calls += 10; });
  CAF_CHECK_EQUAL(calls, 11);
}

CAF_TEST(an event that nobody reads fails its callback) {
  int failures = 0;
  const auto r = make();
  r->get("k", [&](const auto& v) { failures += !v && v.error().code == errc::unavailable ? 1 : 0; });
  r->put("k", "1", [&](const auto& v) { failures += v ? 0 : 1; });
  r->increment("k", 1, [&](const auto& v) { failures += v ? 0 : 1; });
  r->keys([&](const auto& v) { failures += v ? 0 : 1; });
  auto moved = std::move(box->events);
  box->events.clear();
  CAF_CHECK_EQUAL(failures, 0);
  moved.clear();
  CAF_CHECK_EQUAL(failures, 4);
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(event ids read back and nothing else does) {
  const event_id id{1, 22, 333};
  CAF_CHECK_EQUAL(to_string(id), "1-22-333");
  CAF_CHECK(parse_event_id("1-22-333") == id);
  for (const auto* bad : {"", "1", "1-2", "1-2-", "1-2-3-", "1-2-3 ", "-1-2-3", "1--2-3", "a-b-c",
                          "1-2-99999999999999999999999"})
    CAF_CHECK(parse_event_id(bad) == event_id{});
}

CAF_TEST(the history of a session is bounded and keeps its beginning) {
  session_entry e{"id", "p"};
  for (int i = 0; i < 100; ++i)
    e.remember(i, std::to_string(i));
  const auto h = e.history();
  CAF_REQUIRE_EQUAL(h.size(), session_entry::max_history);
  CAF_CHECK_EQUAL(h.front().what, "0");
  CAF_CHECK_EQUAL(h.back().what, "99");
}
