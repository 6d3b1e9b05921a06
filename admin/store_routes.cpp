// What the admin API says of the session store, and how it is checked: a POST begins a check, which goes on
// whoever stops waiting for it, and a GET tells how far it is, or what the last one has found.

#include <mutex>
#include <optional>

#include "admin/api_route.hpp"
#include "admin/store_json.hpp"

namespace cafmcp::admin {

namespace {

using boost::asio::awaitable;
using json = nlohmann::ordered_json;
using persistence::sqlite_store;
using transport::request;
using transport::response;

// The check of the moment, or the last one.
struct last_check {
  std::mutex mutex;
  bool running = false;
  std::chrono::steady_clock::time_point begun;
  std::optional<result<persistence::store_check>> outcome;
  std::chrono::duration<double> took{0};
};

result<std::shared_ptr<sqlite_store>> disk_of(const api_context& context) {
  if (!context.store)
    return fail(errc::unavailable, "this node has no store yet; try again");
  auto disk = std::dynamic_pointer_cast<sqlite_store>(context.store);
  if (!disk)
    return fail(errc::not_found, "this node keeps its sessions in memory alone");
  return disk;
}

awaitable<void> get_stats(context_ptr context, request&, response& out) {
  const auto disk = disk_of(*context);
  if (!disk)
    co_return refuse(out, disk.error());
  const auto health = (*disk)->health();
  answer(out, store_json((*disk)->stats(), health ? std::string{} : health.error().message));
}

void begin(const std::shared_ptr<last_check>& last, sqlite_store& disk) {
  {
    const std::lock_guard lock{last->mutex};
    if (std::exchange(last->running, true))
      return;  // whoever asks sees the one that is under way
    last->begun = std::chrono::steady_clock::now();
    last->outcome.reset();
  }
  disk.check([last](result<persistence::store_check> found) {
    const std::lock_guard lock{last->mutex};
    last->running = false;
    last->took = std::chrono::steady_clock::now() - last->begun;
    last->outcome = std::move(found);
  });
}

void say(last_check& last, const sqlite_store& disk, response& out) {
  const auto part = disk.stats().checked;
  const std::lock_guard lock{last.mutex};
  if (last.running)
    return answer(out, json{{"running", true}, {"part", part}});
  if (!last.outcome)
    return refuse(out, fail(errc::not_found, "nothing was checked since the node's start"));
  if (!*last.outcome)
    return refuse(out, last.outcome->error());
  answer(out, check_json(**last.outcome, last.took.count()));
}

}  // namespace

void add_store_routes(transport::router& routes, const context_ptr& context) {
  const auto last = std::make_shared<last_check>();
  const auto check = [last](bool anew) {
    return [last, anew](context_ptr c, request&, response& out) -> awaitable<void> {
      const auto disk = disk_of(*c);
      if (!disk)
        co_return refuse(out, disk.error());
      if (anew)
        begin(last, **disk);
      say(*last, **disk, out);
    };
  };
  routes.get("/admin/api/v1/store", guarded(context, get_stats));
  routes.post("/admin/api/v1/store/check", guarded(context, check(true)));
  routes.get("/admin/api/v1/store/check", guarded(context, check(false)));
}

}  // namespace cafmcp::admin
