#include "cluster/runtime/coordinator/etcd_coordinator.hpp"

#include <algorithm>
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

/// What is done when etcd says that its leader has changed meanwhile.
constexpr unsigned max_renewals = 3;

etcd_client::clock::time_point after(std::chrono::milliseconds deadline) {
  return etcd_client::clock::now() + deadline;
}

/// What became of something that was not done.
outcome outcome_of(const etcd_reply& reply) {
  if (reply.what == kind::denied || reply.what == kind::compacted)
    log::get("cluster").error("etcd refuses what it is asked", {{"why", log::printable(reply.why, 512)}});
  switch (reply.what) {
    case kind::lease_gone:
      return outcome::refused;
    case kind::done:  // but not as it should be
    case kind::maybe:
      return outcome::unknown;
    default:
      return outcome::unavailable;
  }
}

transaction_result result_of(const etcd_reply& reply, bool done) {
  const auto header = parse_header(reply.answer);
  if (reply.what != kind::done || !header || header->at == 0)
    return {outcome_of(reply), 0};
  return {done ? outcome::done : outcome::refused, header->at};
}

/// A lease as `grant` and `renew` show it; `lease_gone` without a time.
lease_result lease_of(const etcd_reply& reply) {
  const auto id = parse_integer(reply.answer, "ID");
  const auto ttl = parse_integer(reply.answer, "TTL");
  constexpr std::int64_t longest = 9'000'000'000;  // etcd's own
  if (reply.what != kind::done || !id || *id == 0 || !ttl || *ttl < 0 || *ttl > longest)
    return {outcome_of(reply), 0, 0};
  return {*ttl > 0 ? outcome::done : outcome::refused, *id, *ttl * 1000};
}

/// One renewal, with what makes it sure.
class renewal : public std::enable_shared_from_this<renewal> {
 public:
  renewal(const std::shared_ptr<etcd_client>& client, lease_id lease, etcd_client::clock::time_point deadline,
          std::function<void(lease_result)> then)
      : client_(client), lease_(lease), deadline_(deadline), then_(std::move(then)) {}

  void ask() {
    if (const auto client = client_.lock())
      client->call("/v3/lease/keepalive", lease_request(lease_), repeat::yes, deadline_,
                   [me = shared_from_this()](const etcd_reply& reply) { me->on_renewed(reply); });
  }

 private:
  void on_renewed(const etcd_reply& reply) {
    renewed_ = lease_of(reply);
    const auto header = parse_header(reply.answer);
    const auto client = client_.lock();
    if (!client)
      return;
    if (reply.what != kind::done || renewed_.lease != lease_ || !header)
      return then_({renewed_.what == outcome::unavailable ? outcome::unavailable : outcome::unknown, 0, 0});
    client->call("/v3/kv/range", newest_request(client->options().readable_key), repeat::yes, deadline_,
                 [me = shared_from_this(), term = header->term](const etcd_reply& read) {
                   me->on_confirmed(read, term);
                 });
  }

  void on_confirmed(const etcd_reply& reply, std::uint64_t term) {
    const auto header = parse_header(reply.answer);
    if (reply.what == kind::done && header && header->term == term)
      return then_(renewed_);
    if (reply.what == kind::done && header && ++rounds_ < max_renewals)
      return ask();
    if (reply.what == kind::denied)
      outcome_of(reply);  // says so
    then_({outcome::unknown, 0, 0});
  }

  const std::weak_ptr<etcd_client> client_;
  const lease_id lease_;
  const etcd_client::clock::time_point deadline_;
  const std::function<void(lease_result)> then_;
  lease_result renewed_;
  unsigned rounds_ = 0;
};

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
                [then = std::move(then)](const etcd_reply& reply) {
                  const auto i = reply.answer.find("succeeded");
                  const bool done = i != reply.answer.end() && i->is_boolean() && i->get<bool>();
                  then(result_of(reply, done));
                });
}

void etcd_coordinator::grant(milliseconds ttl, milliseconds deadline,
                             std::function<void(lease_result)> then) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(ttl);
  client_->call("/v3/lease/grant", grant_request(std::max<std::int64_t>(seconds.count(), 1)), repeat::no,
                after(deadline), [then = std::move(then)](const etcd_reply& reply) {
                  const auto granted = lease_of(reply);
                  then(granted.ttl_ms > 0 || granted.what != outcome::refused
                           ? granted
                           : lease_result{outcome::unknown, 0, 0});
                });
}

void etcd_coordinator::renew(lease_id lease, milliseconds deadline, std::function<void(lease_result)> then) {
  std::make_shared<renewal>(client_, lease, after(deadline), std::move(then))->ask();
}

void etcd_coordinator::revoke(lease_id lease, milliseconds deadline,
                              std::function<void(transaction_result)> then) {
  client_->call("/v3/lease/revoke", lease_request(lease), repeat::no, after(deadline),
                [then = std::move(then)](const etcd_reply& reply) { then(result_of(reply, true)); });
}

std::shared_ptr<void> etcd_coordinator::watch(std::string prefix, watch_handler handler) {
  const auto made = std::make_shared<etcd_watch>(client_, std::move(prefix), std::move(handler));
  std::erase_if(watches_, [](const auto& w) { return w.expired(); });
  watches_.push_back(made);
  made->start();
  return {made.get(), [made](void*) { made->stop(); }};
}

}  // namespace cafmcp::cluster
