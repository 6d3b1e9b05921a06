#define CAF_SUITE supervisor_scale

// Real threads and very many children. What is asserted is that all is there and in order, never a time.

#include <algorithm>
#include <atomic>
#include <unordered_set>

#include "supervisors/runtime.hpp"
#include "supervisors/supervisor.hpp"
#include "tests/unit/caf_test.hpp"

#include "supervisors/test_reports.hpp"
#include "supervisors/test_supervisor.hpp"

using namespace cafmcp::otp;

namespace {

constexpr std::uint32_t many = 100'000;
constexpr std::uint32_t half = many / 2;

/// What children leave behind. They all live on one context, that of their supervisor.
struct diary {
  std::atomic<std::uint32_t> started{0};
  std::vector<std::uint32_t> ended;  // in this order
};

/// Notes when it ends.
class member final : public base_actor {
 public:
  member(caf::actor_config& config, std::shared_ptr<diary> d, std::uint32_t number)
      : base_actor(config), diary_(std::move(d)), number_(number) {
    diary_->started.fetch_add(1, std::memory_order_relaxed);
  }
  const char* name() const override { return "member"; }
  caf::behavior make_behavior() override {
    return {[](int) {}};
  }

 protected:
  void terminate(const caf::error&) override { diary_->ended.push_back(number_); }

 private:
  const std::shared_ptr<diary> diary_;
  const std::uint32_t number_;
};

/// A runtime with a tree, and whoever talks to it. The log is off: a report of each of 50 000 deaths is
/// nothing anybody reads here.
struct fixture {
  ~fixture() {
    if (root)
      send_shutdown(root);
    root = nullptr;
    self.reset();
    rt.reset();
  }

  void start(supervisor_flags flags, std::vector<child_spec> children) {
    rt.emplace(runtime_options{2});
    self.emplace(rt->system());
    auto tree = start_tree(rt->system(), rt->unit(0), {"root", flags, std::move(children), nullptr, nullptr});
    CAF_REQUIRE(tree.has_value());
    root = tree.value();
  }

  /// A hundred thousand children with an id, started with their supervisor.
  void start_static() {
    std::vector<child_spec> specs;
    specs.reserve(many);
    for (std::uint32_t i = 0; i < many; ++i)
      specs.push_back(worker<member>(std::to_string(i), "member", notes, i));
    start({strategy::one_for_one, many}, std::move(specs));
  }

  /// A hundred thousand instances.
  void start_instances() {
    child_spec spec;
    spec.id = "member";
    spec.start = [d = notes](const start_context& context) -> start_result {
      return started{spawn_child<member>(*context.supervisor, context.where, d,
                                         context.arguments.get_as<std::uint32_t>(0)),
                     true};
    };
    start({strategy::simple_one_for_one, many}, {spec});
    for (std::uint32_t i = 0; i < many; ++i)
      caf::anon_send(root, start_instance{caf::make_message(i), nullptr});
    while (counts().active < many) {
    }
  }

  /// How many of these the supervisor finds, as the actors they are.
  std::uint32_t find(const std::vector<child_info>& all) {
    std::uint32_t found = 0;
    std::size_t asked = 0;
    for (const auto& c : all) {
      for (; asked < all.size() && &all[asked] < &c + 1000; ++asked)
        (*self)->send(root, find_child{all[asked].id});  // answered in this order
      (*self)->receive([&](const caf::actor& a) { found += a == c.actor ? 1 : 0; }, [](const caf::error&) {});
    }
    return found;
  }

  template <class T, class M>
  T get(M message) {
    T answer{};
    (*self)
        ->request(root, caf::infinite, std::move(message))
        .receive([&](T& value) { answer = std::move(value); }, [](const caf::error&) {});
    return answer;
  }

  std::vector<child_info> children() { return get<std::vector<child_info>>(which_children{}); }
  child_counts counts() { return get<child_counts>(count_children{}); }

  /// Ends the tree and waits until nobody is left.
  void stop() {
    (*self)->monitor(root);
    send_shutdown(root);
    (*self)->receive([](const caf::down_msg& d) { CAF_CHECK_EQUAL(d.reason, exit_code::shutdown); });
    root = nullptr;
  }

  /// Kills these at once and waits until as many have been restarted.
  void kill(const std::vector<caf::actor>& victims) {
    const auto before = restarts_total();
    for (const auto& victim : victims)
      caf::anon_send_exit(victim, caf::exit_reason::kill);
    // Each answer comes after what the supervisor has heard before the question.
    while (restarts_total() < before + victims.size() || counts().active < many) {
    }
    CAF_CHECK_EQUAL(restarts_total(), before + victims.size());
    get<caf::ok_atom>(terminate_child{"#0"});  // there is none, which is said when the last start is over
  }

  testing::silence quiet;
  std::shared_ptr<diary> notes = std::make_shared<diary>();
  std::optional<runtime> rt;
  std::optional<caf::scoped_actor> self;
  caf::actor root;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_scale_tests, fixture)

CAF_TEST(a hundred thousand children start and are counted and found and stopped in order) {
  start_static();
  CAF_CHECK_EQUAL(notes->started.load(), many);
  CAF_CHECK_EQUAL(counts().specs, many);
  CAF_CHECK_EQUAL(counts().active, many);
  CAF_CHECK_EQUAL(counts().workers, many);
  const auto all = children();
  CAF_REQUIRE_EQUAL(all.size(), many);
  std::uint32_t right = 0;
  for (std::uint32_t i = 0; i < many; ++i) {
    const auto& c = all[many - 1 - i];
    right += c.id == std::to_string(i) && c.actor && c.status == child_status::running ? 1 : 0;
  }
  CAF_CHECK_EQUAL(right, many);
  CAF_CHECK_EQUAL(find(all), many);
  stop();
  CAF_REQUIRE_EQUAL(notes->ended.size(), many);
  CAF_CHECK(std::is_sorted(notes->ended.rbegin(), notes->ended.rend()));
}

CAF_TEST(fifty thousand of a hundred thousand children killed at once are all back) {
  start_static();
  std::vector<caf::actor> victims;
  for (const auto& c : children())
    if (victims.size() < half)
      victims.push_back(c.actor);
  kill(victims);
  CAF_CHECK_EQUAL(notes->started.load(), many + half);
  CAF_CHECK_EQUAL(counts().active, many);
  CAF_CHECK_EQUAL(counts().specs, many);
  const auto all = children();
  CAF_REQUIRE_EQUAL(all.size(), many);
  std::uint32_t right = 0;
  for (std::uint32_t i = 0; i < many; ++i) {
    const auto& c = all[i];
    const bool same = i < half && c.actor == victims[i];
    right += c.id == std::to_string(many - 1 - i) && c.status == child_status::running && !same ? 1 : 0;
  }
  CAF_CHECK_EQUAL(right, many);
  notes->ended.clear();
  stop();
  CAF_REQUIRE_EQUAL(notes->ended.size(), many);
  CAF_CHECK(std::is_sorted(notes->ended.rbegin(), notes->ended.rend()));
}

CAF_TEST(a hundred thousand instances start and are counted and found and stopped) {
  start_instances();
  CAF_CHECK_EQUAL(counts().specs, 1u);
  CAF_CHECK_EQUAL(counts().active, many);
  const auto all = children();
  CAF_REQUIRE_EQUAL(all.size(), many);
  std::unordered_set<std::string> ids;
  for (const auto& c : all)
    ids.insert(c.id);
  CAF_CHECK_EQUAL(ids.size(), many);
  CAF_CHECK_EQUAL(find(all), many);
  stop();
  auto& ended = notes->ended;
  CAF_REQUIRE_EQUAL(ended.size(), many);
  std::sort(ended.begin(), ended.end());
  CAF_CHECK(std::adjacent_find(ended.begin(), ended.end()) == ended.end());
}

CAF_TEST(fifty thousand of a hundred thousand instances killed at once are all back with their arguments) {
  start_instances();
  std::vector<caf::actor> victims;
  for (const auto& c : children())
    if (victims.size() < half)
      victims.push_back(c.actor);
  kill(victims);
  CAF_CHECK_EQUAL(notes->started.load(), many + half);
  CAF_CHECK_EQUAL(counts().active, many);
  CAF_CHECK_EQUAL(counts().workers, many);
  const auto all = children();
  CAF_CHECK_EQUAL(find(all), many);
  std::unordered_set<std::string> ids;
  for (const auto& c : all)
    ids.insert(c.id);
  CAF_CHECK_EQUAL(ids.size(), many);
  CAF_CHECK(std::none_of(victims.begin(), victims.end(),
                         [&](const caf::actor& v) { return ids.contains(testing::pid_of(v)); }));
  notes->ended.clear();
  stop();
  auto& ended = notes->ended;
  CAF_REQUIRE_EQUAL(ended.size(), many);
  std::sort(ended.begin(), ended.end());
  CAF_CHECK(std::adjacent_find(ended.begin(), ended.end()) == ended.end());
}

CAF_TEST_FIXTURE_SCOPE_END()
