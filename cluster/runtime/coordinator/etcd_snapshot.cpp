#include "cluster/runtime/coordinator/etcd_snapshot.hpp"

#include <utility>

namespace cafmcp::cluster {

namespace {

class reader : public std::enable_shared_from_this<reader> {
 public:
  using handler = std::function<void(result<etcd_snapshot>)>;

  reader(const std::shared_ptr<etcd_client>& client, std::string prefix,
         etcd_client::clock::time_point deadline, handler then)
      : client_(client), prefix_(std::move(prefix)), deadline_(deadline), then_(std::move(then)) {}

  void next() {
    const auto client = client_.lock();
    if (!client)
      return;
    // The key right behind the last one.
    const auto from = got_.what.facts.empty() ? std::string{} : got_.what.facts.back().key + '\0';
    client->call("/v3/kv/range", range_request(prefix_, from, client->options().page_keys, got_.what.at),
                 etcd_client::repeat::yes, deadline_,
                 [me = shared_from_this(), max_bytes = client->options().snapshot_bytes](etcd_reply reply) {
                   me->on_page(std::move(reply), max_bytes);
                 });
  }

 private:
  void on_page(etcd_reply reply, std::size_t max_bytes) {
    using kind = etcd_reply::kind;
    if (reply.what == kind::compacted) {
      got_ = {};
      bytes_ = 0;
      return next();
    }
    if (reply.what != kind::done)
      return then_(fail(reply.what == kind::denied ? errc::denied : errc::unavailable, "etcd: " + reply.why));
    auto page = parse_range(reply.answer);
    if (!page || !take(*page))
      return then_(fail(errc::unavailable, "etcd: an answer that is not that to a range"));
    if (bytes_ > max_bytes)
      return then_(fail(errc::unavailable, "etcd: there is more under this prefix than may be read"));
    page->more ? next() : then_(std::move(got_));
  }

  bool take(etcd_range& page) {
    auto& facts = got_.what.facts;
    if (got_.what.at == 0) {
      got_.what.at = page.header.at;
      got_.cluster = page.header.cluster;
    }
    for (auto& f : page.facts) {
      if (!f.key.starts_with(prefix_) || (!facts.empty() && f.key <= facts.back().key))
        return false;
      bytes_ += f.key.size() + f.value.size() + sizeof f;
      facts.push_back(std::move(f));
    }
    return !page.more || !page.facts.empty();
  }

  const std::weak_ptr<etcd_client> client_;
  const std::string prefix_;
  const etcd_client::clock::time_point deadline_;
  const handler then_;
  etcd_snapshot got_;
  std::size_t bytes_ = 0;
};

}  // namespace

void read_snapshot(const std::shared_ptr<etcd_client>& client, std::string prefix,
                   etcd_client::clock::time_point deadline, std::function<void(result<etcd_snapshot>)> then) {
  std::make_shared<reader>(client, std::move(prefix), deadline, std::move(then))->next();
}

}  // namespace cafmcp::cluster
