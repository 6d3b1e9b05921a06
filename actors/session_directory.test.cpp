#define CAF_SUITE session_directory

#include "actors/session_directory.hpp"

#include <set>
#include <thread>

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::actors;

namespace {

struct fixture : test_coordinator_fixture<> {
  session_directory directory{100};
};

}  // namespace

CAF_TEST(a handle is short and stable and says nothing of the id) {
  // The low five bits of each of the first ten bytes of SHA-256("abc"), in the letters of RFC 4648.
  CAF_CHECK_EQUAL(handle_of("abc"), "s-2yw7pbpkbb");
  CAF_CHECK_EQUAL(handle_of("abc").size(), 12u);
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i)
    seen.insert(handle_of("session-" + std::to_string(i)));
  CAF_CHECK_EQUAL(seen.size(), 10'000u);
}

CAF_TEST_FIXTURE_SCOPE(session_directory_tests, fixture)

CAF_TEST(an entry is found by its id and its handle) {
  CAF_CHECK(directory.find("a") == nullptr);
  const auto a = directory.add("a", "alice");
  CAF_REQUIRE(a != nullptr);
  CAF_CHECK_EQUAL(a->principal, "alice");
  for (int i = 0; i < 50; ++i)
    directory.add("other-" + std::to_string(i), "");
  CAF_CHECK(directory.add("a", "bob") == a);
  CAF_CHECK(directory.find("a") == a);
  CAF_CHECK(directory.find_by_name("a") == a);
  CAF_CHECK(directory.find_by_name(a->handle) == a);
  CAF_CHECK(directory.find(a->handle) == nullptr);
  CAF_CHECK(directory.find_by_name("s-nosuchone2") == nullptr);
  CAF_CHECK(directory.find_by_name("") == nullptr);
  CAF_CHECK_EQUAL(directory.size(), 51u);
}

CAF_TEST(only the very entry is removed) {
  const auto a = directory.add("a", "");
  directory.remove(a);
  CAF_CHECK(directory.find("a") == nullptr);
  CAF_CHECK_EQUAL(directory.size(), 0u);
  const auto next = directory.add("a", "");
  CAF_CHECK(next != a);
  directory.remove(a);
  CAF_CHECK(directory.find("a") == next);
  CAF_CHECK_EQUAL(directory.size(), 1u);
}

CAF_TEST(a full directory takes no more) {
  for (int i = 0; i < 100; ++i)
    CAF_REQUIRE(directory.add(std::to_string(i), "") != nullptr);
  CAF_CHECK(directory.add("one more", "") == nullptr);
  CAF_CHECK(directory.add("5", "") != nullptr);
  CAF_CHECK_EQUAL(directory.size(), 100u);
  directory.remove(directory.find("5"));
  CAF_CHECK(directory.add("one more", "") != nullptr);
}

CAF_TEST(all entries can be gone through and changed meanwhile) {
  for (int i = 0; i < 100; ++i)
    directory.add(std::to_string(i), "");
  std::set<std::string> seen;
  directory.each([&](const entry_ptr& e) {
    seen.insert(e->id);
    directory.remove(e);
    return true;
  });
  CAF_CHECK_EQUAL(seen.size(), 100u);
  CAF_CHECK_EQUAL(directory.size(), 0u);
  directory.add("a", "");
  directory.add("b", "");
  int calls = 0;
  directory.each([&](const entry_ptr&) { return ++calls < 1; });
  CAF_CHECK_EQUAL(calls, 1);
  calls = 0;
  for (std::size_t i = 0; i < session_directory::stripes; ++i)
    directory.each_in(i, [&](const entry_ptr&) { return ++calls > 0; });
  CAF_CHECK_EQUAL(calls, 2);
}

CAF_TEST(the history keeps its beginning and what came last) {
  const auto a = directory.add("a", "");
  for (int i = 0; i < 40; ++i)
    a->remember(i, "event " + std::to_string(i));
  const auto history = a->history();
  CAF_REQUIRE_EQUAL(history.size(), 16u);
  CAF_CHECK_EQUAL(history[0].what, "event 0");
  CAF_CHECK_EQUAL(history[1].what, "event 25");
  CAF_CHECK_EQUAL(history[15].what, "event 39");
  CAF_CHECK_EQUAL(history[15].at_ms, 39);
}

CAF_TEST(an entry knows the present actor) {
  const auto a = directory.add("a", "");
  CAF_CHECK(!a->actor());
  const auto spawn = [&] {
    return sys.spawn([](caf::event_based_actor*) { return caf::behavior{[](int) {}}; });
  };
  const auto one = spawn();
  const auto two = spawn();
  a->actor_started(one);
  CAF_CHECK_EQUAL(a->actor(), one);
  a->actor_started(two);
  a->actor_ended(one.id());
  CAF_CHECK_EQUAL(a->actor(), two);
  a->actor_ended(two.id());
  CAF_CHECK(!a->actor());
  a->actor_started(two);  // the news of its start come after those of its end
  CAF_CHECK(!a->actor());
}

CAF_TEST(threads may add and remove and look at once) {
  std::atomic<int> made{0};
  std::vector<std::thread> crew;
  for (int t = 0; t < 4; ++t)
    crew.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        const auto e = directory.add(std::to_string((t + i) % 20), "");
        made += e != nullptr;
        e->remember(i, "seen");
        directory.find_by_name(e->handle);
        directory.remove(e);
      }
    });
  for (auto& thread : crew)
    thread.join();
  CAF_CHECK_EQUAL(made.load(), 2000);
  CAF_CHECK_EQUAL(directory.size(), 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()
