#define CAF_SUITE session_routes

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <map>
#include <thread>

#include "admin/api_route.hpp"
#include "admin/session_json.hpp"
#include "persistence/memory_store.hpp"
#include "tests/unit/caf_test.hpp"
#include "transport/request_parser.hpp"

using namespace cafmcp;
using json = nlohmann::ordered_json;
using persistence::op_kind;

namespace {

persistence::operation make(const std::string& id, std::uint64_t seq, op_kind kind, std::string bytes) {
  return {persistence::bucket_of(id), 1, seq, id, kind, std::move(bytes)};
}

// Sessions that end when they are told to, or don't.
class fake_gateway final : public transport::gateway {
 public:
  explicit fake_gateway(std::shared_ptr<persistence::session_store> store) : store_(std::move(store)) {}

  boost::asio::awaitable<result<std::shared_ptr<transport::session_port>>> create(
      transport::session_request) override {
    co_return fail(errc::internal, "not here");
  }
  boost::asio::awaitable<result<std::shared_ptr<transport::session_port>>> find(
      transport::session_request wanted) override {
    if (wanted.principal != "alice")
      co_return fail(errc::denied, "somebody else's");
    co_return std::make_shared<port>(wanted.session_id, store_);
  }

 private:
  class port final : public transport::session_port {
   public:
    port(std::string id, std::shared_ptr<persistence::session_store> store)
        : id_(std::move(id)), store_(std::move(store)) {}
    const std::string& id() const noexcept override { return id_; }
    bool receive(transport::incoming, transport::channel_ptr) override { return false; }
    void attach(transport::channel_ptr, std::string) override {}
    void detach(const transport::channel_ptr&, std::vector<std::string>) override {}
    void end() override {
      store_->apply({make(id_, 2, op_kind::end, persistence::end_bytes("killed", 9))}, [](auto) {});
    }

   private:
    std::string id_;
    std::shared_ptr<persistence::session_store> store_;
  };
  std::shared_ptr<persistence::session_store> store_;
};

struct reply {
  unsigned status;
  json body;

  // As a value: checks outlive the reply.
  std::string id() const { return body.value("id", ""); }
};

struct fixture {
  fixture() {
    context->status = std::make_shared<admin::node_status>("n1", "", "", 1);
    context->token = "0123456789abcdef";
    context->store = store;
    context->directory = directory;
    context->gateway = std::make_shared<fake_gateway>(store);
    context->registry = std::make_shared<actors::registry_view>();
    admin::add_admin_routes(routes, context);
  }

  void create(const std::string& id, const std::string& principal = "alice") {
    store->apply({make(id, 1, op_kind::create, persistence::create_bytes(principal, 1'000))},
                 [](auto done) { CAF_REQUIRE(done.has_value()); });
  }

  reply ask(const std::string& method, const std::string& target, const std::string& body = {},
            const std::string& token = "0123456789abcdef") {
    transport::request in;
    transport::request_parser parser{in};
    const auto head = method + " /admin/api/v1/" + target + " HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " +
                      token + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    CAF_REQUIRE(parser.head(head, 1 << 20) == nullptr);
    in.body = body;
    transport::response out;
    const auto* handler = routes.find(in, out);
    CAF_REQUIRE(handler != nullptr);
    boost::asio::io_context io;
    boost::asio::co_spawn(io, handler->later(in, out), boost::asio::detached);
    io.run();
    return {out.status, json::parse(out.body)};
  }

  std::shared_ptr<persistence::memory_store> store =
      std::make_shared<persistence::memory_store>(100'000, 1u << 30);
  std::shared_ptr<actors::session_directory> directory = std::make_shared<actors::session_directory>(1000);
  std::shared_ptr<admin::api_context> context = std::make_shared<admin::api_context>();
  transport::router routes;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(session_routes_tests, fixture)

CAF_TEST(nobody passes without the token) {
  for (const auto* path : {"sessions", "sessions/show?id=a", "sessions/why?id=a", "servers"})
    CAF_CHECK_EQUAL(ask("GET", path, "", "fedcba9876543210").status, 401u);
  CAF_CHECK_EQUAL(ask("POST", "sessions/kill", R"({"id":"a"})", "fedcba9876543210").status, 401u);
}

CAF_TEST(sessions of all buckets are listed up to a limit) {
  for (int i = 0; i < 300; ++i)
    create("session-" + std::to_string(i));
  directory->add("session-7", "alice")->connected = true;
  CAF_CHECK_EQUAL(ask("GET", "sessions").body.size(), 100u);
  const auto all = ask("GET", "sessions?limit=10000").body;
  CAF_REQUIRE_EQUAL(all.size(), 300u);
  std::map<std::string, json> by_id;
  for (const auto& s : all)
    by_id[s["id"].get<std::string>()] = s;
  CAF_CHECK_EQUAL(by_id.size(), 300u);
  CAF_CHECK_EQUAL(by_id.at(actors::handle_of("session-7"))["connected"], true);
  CAF_CHECK_EQUAL(by_id.at(actors::handle_of("session-8"))["status"], "passive");
  CAF_CHECK_EQUAL(ask("GET", "sessions?limit=3").body.size(), 3u);
  for (const auto* limit : {"0", "10001", "-1", "x", "5x", "99999999999999999999999"})
    CAF_CHECK_EQUAL(ask("GET", std::string{"sessions?limit="} + limit).status, 400u);
  CAF_CHECK_EQUAL(ask("GET", "sessions?node=n1").body.size(), 100u);
  CAF_CHECK_EQUAL(ask("GET", "sessions?node=n2").status, 404u);
}

CAF_TEST(a session is found by its id and by its handle whether it has an actor or not ) {
  for (int i = 0; i < 50; ++i)
    create("session-" + std::to_string(i));
  directory->add("session-7", "alice")->remember(2'000, "resumed");
  for (const auto* id : {"session-7", "session-8"}) {
    const auto handle = actors::handle_of(id);
    CAF_CHECK_EQUAL(ask("GET", std::string{"sessions/show?id="} + id).id(), handle);
    CAF_CHECK_EQUAL(ask("GET", "sessions/show?id=" + handle).id(), handle);
    CAF_CHECK_EQUAL(ask("GET", "sessions/why?id=" + handle).id(), handle);
  }
  const auto why = ask("GET", "sessions/why?id=session-7").body;
  CAF_REQUIRE_EQUAL(why["events"].size(), 2u);
  CAF_CHECK_EQUAL(why["events"][1]["what"], "resumed");
  const auto nobody = ask("GET", "sessions/show?id=s-nosuchone22");
  CAF_CHECK_EQUAL(nobody.status, 404u);
  CAF_CHECK_NOT_EQUAL(nobody.body["error"]["message"].get<std::string>().find("s-nosuchone22"),
                      std::string::npos);
  CAF_CHECK_EQUAL(ask("GET", "sessions/show?id=nobody").status, 404u);
  CAF_CHECK_EQUAL(ask("GET", "sessions/show").status, 400u);
}

CAF_TEST(ids are percent decoded) {
  create("odd id/ä");
  CAF_CHECK_EQUAL(ask("GET", "sessions/show?id=odd%20id%2f%C3%A4").id(), actors::handle_of("odd id/ä"));
}

CAF_TEST(a session that is killed is over when the answer comes) {
  create("session-1");
  create("session-2", "bob");
  const auto done = ask("POST", "sessions/kill", json{{"id", actors::handle_of("session-1")}}.dump());
  CAF_CHECK_EQUAL(done.status, 200u);
  CAF_CHECK_EQUAL(done.id(), actors::handle_of("session-1"));
  CAF_CHECK_EQUAL(done.body["from"], "n1");
  CAF_CHECK(done.body["to"].is_null());
  CAF_CHECK(done.body["millis"].is_number());
  CAF_CHECK_EQUAL(store->size(), 1u);
  CAF_CHECK_EQUAL(ask("GET", "sessions/show?id=session-1").status, 404u);
  CAF_CHECK_EQUAL(ask("POST", "sessions/kill", R"({"id":"session-1"})").status, 404u);
  CAF_CHECK_EQUAL(ask("POST", "sessions/kill", R"({"id":"session-2"})").status, 403u);
  for (const auto* body : {"", "7", "{", R"({"id":7})", "{}"})
    CAF_CHECK_EQUAL(ask("POST", "sessions/kill", body).status, 400u);
}

CAF_TEST(what the node does not have yet is unavailable) {
  context->store = nullptr;
  context->registry = nullptr;
  for (const auto* path : {"sessions", "sessions/show?id=a", "sessions/why?id=s-aaaaaaaaaa", "servers"}) {
    const auto answer = ask("GET", path);
    CAF_CHECK_EQUAL(answer.status, 503u);
    CAF_CHECK_EQUAL(answer.body["error"]["code"], "unavailable");
  }
  CAF_CHECK_EQUAL(ask("POST", "sessions/kill", R"({"id":"a"})").status, 503u);
}

CAF_TEST_FIXTURE_SCOPE_END()

// A store whose answers come from elsewhere.
CAF_TEST(a callback from another thread resumes the coroutine where it was) {
  boost::asio::io_context io;
  auto guard = boost::asio::make_work_guard(io);
  std::thread other;
  std::thread::id resumed;
  int got = 0;
  const auto ask = [&]() -> boost::asio::awaitable<void> {
    const auto start = [&](std::function<void(result<int>)> then) {
      other = std::thread{[then] { then(7); }};
    };
    const auto answer = co_await admin::callback_of<int>(start);
    got = answer.value();
    resumed = std::this_thread::get_id();
    guard.reset();
  };
  boost::asio::co_spawn(io, ask(), boost::asio::detached);
  io.run();
  other.join();
  CAF_CHECK_EQUAL(got, 7);
  CAF_CHECK(resumed == std::this_thread::get_id());
}
