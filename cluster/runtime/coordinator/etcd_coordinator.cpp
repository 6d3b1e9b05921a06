#include "cluster/runtime/coordinator/etcd_coordinator.hpp"

#include <utility>

#include "base/assert.hpp"
#include "base/log.hpp"
#include "cluster/runtime/coordinator/etcd_client.hpp"
#include "cluster/runtime/coordinator/etcd_snapshot.hpp"
#include "cluster/runtime/coordinator/etcd_watch.hpp"

namespace cafmcp::cluster {

using kind = etcd_reply::kind;
using repeat = etcd_client::repeat;

namespace {

etcd_client::clock::time_point after(std::chrono::milliseconds deadline) {
  return etcd_client::clock::now() + deadline;
}

/// What became of something that was not done.
outcome outcome_of(const etcd_reply& reply) {
  if (reply.what == kind::denied || reply.what == kind::compacted)
    log::get("cluster").error("etcd refuses what it is asked", {{"why", log::printable(reply.why, 512)}});
  switch (reply.what) {
    case kind::done:  // but not as it should be
    case kind::maybe:
      return outcome::unknown;
    default:
      return outcome::unavailable;
  }
}

transaction_result result_of(const etcd_reply& reply) {
  const auto header = parse_header(reply.answer);
  if (reply.what != kind::done || !header || header->at == 0)
    return {outcome_of(reply), 0};
  const auto i = reply.answer.find("succeeded");
  const bool done = i != reply.answer.end() && i->is_boolean() && i->get<bool>();
  return {done ? outcome::done : outcome::refused, header->at};
}

}  // namespace

result<std::unique_ptr<etcd_coordinator>> etcd_coordinator::make(boost::asio::io_context& io,
                                                                 etcd_options options) {
  std::vector<etcd_target> targets;
  for (const auto& endpoint : options.endpoints) {
    auto target = parse_endpoint(endpoint);
    if (!target)
      return target.error();
    if (target->secure && !options.tls)
      return fail(errc::invalid, "etcd endpoint " + endpoint.url + " is https, but there is no TLS for it");
    targets.push_back(std::move(*target));
  }
  if (targets.empty())
    return fail(errc::invalid, "etcd has no endpoints");
  CAFMCP_ASSERT(options.connections > 0 && options.page_keys > 0);
  return std::unique_ptr<etcd_coordinator>{
      new etcd_coordinator(std::make_shared<etcd_client>(io, std::move(options), std::move(targets)))};
}

etcd_coordinator::~etcd_coordinator() {
  for (const auto& w : watches_)
    if (const auto watch = w.lock())
      watch->stop();
  client_->close();
}

void etcd_coordinator::read(std::string prefix, milliseconds deadline,
                            std::function<void(result<snapshot>)> then) {
  read_snapshot(client_, std::move(prefix), after(deadline),
                [then = std::move(then)](result<etcd_snapshot> read) {
                  read ? then(std::move(read->what)) : then(read.error());
                });
}

void etcd_coordinator::commit(transaction what, milliseconds deadline,
                              std::function<void(transaction_result)> then) {
  CAFMCP_ASSERT(well_formed(what));
  client_->call("/v3/kv/txn", transaction_request(what), repeat::no, after(deadline),
                [then = std::move(then)](const etcd_reply& reply) { then(result_of(reply)); });
}

std::shared_ptr<void> etcd_coordinator::watch(std::string prefix, watch_handler handler) {
  const auto made = std::make_shared<etcd_watch>(client_, std::move(prefix), std::move(handler));
  std::erase_if(watches_, [](const auto& w) { return w.expired(); });
  watches_.push_back(made);
  made->start();
  return {made.get(), [made](void*) { made->stop(); }};
}

}  // namespace cafmcp::cluster
