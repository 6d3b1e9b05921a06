#define CAF_SUITE registry_view

#include "actors/registry_view.hpp"

#include <thread>

#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using namespace cafmcp::actors;
using namespace std::chrono_literals;

namespace {

class fake_server final : public server {
 public:
  explicit fake_server(std::string name) : name_(std::move(name)) {}
  const std::string& name() const noexcept override { return name_; }
  const char* kind() const noexcept override { return "native"; }
  mcp::catalogue_content offers() const override { return {}; }
  void run(request_ptr) override {}
  void watch(std::function<void(server_event)>) override {}

 private:
  std::string name_;
};

mcp::tool tool(const std::string& name) {
  mcp::tool t;
  t.name = name;
  t.input_schema = mcp::json::object();
  return t;
}

mcp::prompt prompt(const std::string& name) {
  mcp::prompt p;
  p.name = name;
  return p;
}

mcp::resource resource(const std::string& uri) {
  mcp::resource r;
  r.uri = r.name = uri;
  return r;
}

mcp::resource_template resource_template(const std::string& uri) {
  mcp::resource_template t;
  t.uri_template = t.name = uri;
  return t;
}

server_entry entry(const std::string& name, mcp::catalogue_content offers) {
  return {std::make_shared<fake_server>(name), std::make_shared<server_stats>(),
          mcp::catalogue::make(std::move(offers)).value(), true};
}

struct fixture {
  fixture() {
    registry_snapshot next;
    next.offers = mcp::catalogue::make({}).value();
    mcp::catalogue_content a;
    a.tools = {tool("echo"), tool("add")};
    a.prompts = {prompt("hello")};
    a.resources = {resource("test://a/plain")};
    a.templates = {resource_template("test://a/{id}"), resource_template("test://both/{x}")};
    mcp::catalogue_content b;
    b.tools = {tool("search")};
    b.prompts = {prompt("echo")};
    b.resources = {resource("test://a/special"), resource("test://both/1")};
    next.servers = {entry("a", std::move(a)), entry("b", std::move(b))};
    view.publish(std::move(next));
  }

  std::string route(mcp::method method, std::string name) const {
    mcp::call call;
    call.method = method;
    call.name = std::move(name);
    const auto snapshot = view.get();
    const auto* found = snapshot->route(call);
    return found == nullptr ? "-" : found->impl->name();
  }

  registry_view view;
};

}  // namespace

CAF_TEST(the first snapshot is empty) {
  const registry_view view;
  CAF_CHECK_EQUAL(view.version(), 1u);
  const auto snapshot = view.get();
  CAF_REQUIRE(snapshot != nullptr);
  CAF_CHECK_EQUAL(snapshot->version, 1u);
  CAF_CHECK(snapshot->servers.empty());
  CAF_REQUIRE(snapshot->offers != nullptr);
  CAF_CHECK(snapshot->offers->content().tools.empty());
  mcp::call call;
  call.name = "echo";
  CAF_CHECK(snapshot->route(call) == nullptr);
}

CAF_TEST_FIXTURE_SCOPE(registry_view_tests, fixture)

CAF_TEST(tools and prompts are routed by their names) {
  CAF_CHECK_EQUAL(route(mcp::method::tools_call, "echo"), "a");
  CAF_CHECK_EQUAL(route(mcp::method::tools_call, "search"), "b");
  CAF_CHECK_EQUAL(route(mcp::method::tools_call, "hello"), "-");
  CAF_CHECK_EQUAL(route(mcp::method::prompts_get, "hello"), "a");
  CAF_CHECK_EQUAL(route(mcp::method::prompts_get, "echo"), "b");
  CAF_CHECK_EQUAL(route(mcp::method::prompts_get, "search"), "-");
  CAF_CHECK_EQUAL(route(mcp::method::tools_list, "echo"), "-");
}

CAF_TEST(resources go to who lists them and then to who has a template) {
  CAF_CHECK_EQUAL(route(mcp::method::resources_read, "test://a/plain"), "a");
  CAF_CHECK_EQUAL(route(mcp::method::resources_read, "test://a/special"), "b");
  CAF_CHECK_EQUAL(route(mcp::method::resources_read, "test://a/other"), "a");
  CAF_CHECK_EQUAL(route(mcp::method::resources_read, "test://both/1"), "b");
  CAF_CHECK_EQUAL(route(mcp::method::resources_read, "test://both/2"), "a");
  CAF_CHECK_EQUAL(route(mcp::method::resources_read, "test://nobody"), "-");
}

CAF_TEST(completions go to the prompt or the template or the resource) {
  const auto complete = mcp::method::completion_complete;
  CAF_CHECK_EQUAL(route(complete, "hello"), "a");
  CAF_CHECK_EQUAL(route(complete, "echo"), "b");
  CAF_CHECK_EQUAL(route(complete, "test://a/{id}"), "a");
  CAF_CHECK_EQUAL(route(complete, "test://a/special"), "b");
  CAF_CHECK_EQUAL(route(complete, "test://a/other"), "a");
  CAF_CHECK_EQUAL(route(complete, "search"), "-");
}

CAF_TEST(each snapshot has the next number and old ones stay as they are) {
  const auto before = view.get();
  CAF_CHECK_EQUAL(before->version, 2u);
  auto next = *before;
  next.version = 77;
  next.servers.erase(next.servers.begin());
  next.servers[0].up = false;
  view.publish(std::move(next));
  CAF_CHECK_EQUAL(view.version(), 3u);
  CAF_CHECK_EQUAL(view.get()->version, 3u);
  CAF_CHECK_EQUAL(route(mcp::method::tools_call, "echo"), "-");
  CAF_CHECK_EQUAL(route(mcp::method::tools_call, "search"), "b");
  mcp::call call;
  call.name = "echo";
  CAF_CHECK(before->route(call) == &before->servers[0]);
}

CAF_TEST(readers may look while snapshots are published) {
  std::atomic<bool> done{false};
  std::atomic<int> faults{0};
  std::thread reader{[&] {
    std::uint64_t last = 0;
    while (!done) {
      const auto version = view.version();
      const auto snapshot = view.get();
      faults += snapshot->version < version || snapshot->version < last;
      last = snapshot->version;
    }
  }};
  for (int i = 0; i < 500; ++i)
    view.publish(*view.get());
  done = true;
  reader.join();
  CAF_CHECK_EQUAL(faults.load(), 0);
  CAF_CHECK_EQUAL(view.version(), 502u);
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(durations fall into their buckets) {
  server_stats stats;
  CAF_CHECK_EQUAL(stats.p99_ms(), 0.0);
  stats.count(-1ns, false);
  stats.count(50us, false);
  stats.count(50us + 1ns, true);
  stats.count(10s, false);
  stats.count(11s, true);
  CAF_CHECK_EQUAL(stats.bucket(0), 2u);
  CAF_CHECK_EQUAL(stats.bucket(1), 1u);
  CAF_CHECK_EQUAL(stats.bucket(server_stats::buckets - 2), 1u);
  CAF_CHECK_EQUAL(stats.bucket(server_stats::buckets - 1), 1u);
  CAF_CHECK_EQUAL(stats.calls(), 5u);
  CAF_CHECK_EQUAL(stats.errors(), 2u);
  CAF_CHECK(stats.total() == 21s + 100us + 1ns);
  CAF_CHECK_EQUAL(stats.p99_ms(), 10'000.0);
}

CAF_TEST(the slowest hundredth does not count) {
  server_stats stats;
  for (int i = 0; i < 99; ++i)
    stats.count(700us, false);
  stats.count(3s, false);
  CAF_CHECK_EQUAL(stats.p99_ms(), 1.0);
  stats.count(3s, false);
  CAF_CHECK(stats.p99_ms() > 2500.0);
}
