#include "transport/connection_set.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "transport/connection.hpp"

namespace cafmcp::transport {

namespace {

// Spare workspaces of a shard, about 8 KiB each.
constexpr std::size_t max_spare = 256;

// An IP address as a map's key. IPv6 clients are counted by their /64, which is what one client can have.
std::string key_of(const boost::asio::ip::address& address) {
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    return {bytes.begin(), bytes.end()};
  }
  const auto bytes = address.to_v6().to_bytes();
  return {bytes.begin(), address.to_v6().is_v4_mapped() ? bytes.end() : bytes.begin() + 8};
}

}  // namespace

ticket::~ticket() {
  if (set_)
    set_->leave(shard_, address_);
}

shard::shard(boost::asio::io_context& context, otp::timer_service& wheel, const limits& start)
    : io(context), timers(wheel), bounds(start) {}

shard::~shard() = default;

std::unique_ptr<workspace> shard::take_workspace() {
  std::unique_ptr<workspace> out;
  if (spare.empty()) {
    out = std::make_unique<workspace>();
  } else {
    out = std::move(spare.back());
    spare.pop_back();
  }
  out->in.max_size(std::max<std::size_t>(bounds.header_bytes, 1024));
  return out;
}

void shard::give_back(std::unique_ptr<workspace> work) noexcept {
  if (!work || spare.size() >= max_spare)
    return;
  work->reset();
  spare.push_back(std::move(work));
}

std::shared_ptr<connection_set> connection_set::make(otp::io_pool& pool, std::shared_ptr<const router> routes,
                                                     const limits& bounds, std::shared_ptr<metrics> counters,
                                                     event_handler on_event) {
  std::shared_ptr<connection_set> out{
      new connection_set{std::move(routes), bounds, std::move(counters), std::move(on_event)}};
  for (std::size_t i = 0; i < pool.size(); ++i) {
    out->shards_.push_back(std::make_unique<shard>(pool.context(i), pool.timers(i), bounds));
    out->shards_.back()->spare.reserve(max_spare);
  }
  return out;
}

connection_set::connection_set(std::shared_ptr<const router> routes, const limits& bounds,
                               std::shared_ptr<metrics> counters, event_handler on_event)
    : routes_(std::move(routes)),
      counters_(std::move(counters)),
      on_event_(std::move(on_event)),
      max_connections_(bounds.connections),
      max_per_address_(bounds.connections_per_address) {}

void connection_set::set_limits(const limits& bounds) {
  max_connections_.store(bounds.connections);
  max_per_address_.store(bounds.connections_per_address);
  for (auto& s : shards_)
    boost::asio::post(s->io,
                      [self = shared_from_this(), where = s.get(), bounds] { where->bounds = bounds; });
}

void connection_set::report(event::kind what, std::string detail) const {
  if (on_event_)
    on_event_({what, std::move(detail)});
}

void connection_set::drain(std::chrono::milliseconds deadline, std::function<void()> on_gone) {
  const auto number = drains_.fetch_add(1) + 1;
  go_away(mode::draining, std::move(on_gone));
  auto timer = std::make_shared<boost::asio::steady_timer>(shards_[0]->io, deadline);
  timer->async_wait([timer, number, weak = weak_from_this()](const boost::system::error_code& ec) {
    const auto self = weak.lock();
    if (!ec && self && self->drains_.load() == number)
      self->go_away(mode::closing, {});
  });
}

void connection_set::close_all(std::function<void()> on_gone) {
  go_away(mode::closing, std::move(on_gone));
}

void connection_set::resume() {
  drains_.fetch_add(1);
  mode_.store(mode::serving, std::memory_order_release);
}

void connection_set::go_away(mode to, std::function<void()> on_gone) {
  if (on_gone) {
    const std::lock_guard lock{mutex_};
    on_gone_.push_back(std::move(on_gone));
  }
  mode_.store(to);
  for (auto& s : shards_)
    boost::asio::post(s->io, [self = shared_from_this(), where = s.get(), to] {
      // Connections may end, and leave the list, while this goes through them.
      std::vector<std::shared_ptr<connection>> all;
      for (auto& c : where->connections)
        all.push_back(c.shared_from_this());
      for (const auto& c : all)
        to == mode::closing ? c->abort() : c->drain();
    });
  tell_if_gone();
}

void connection_set::tell_if_gone() {
  std::vector<std::function<void()>> told;
  {
    const std::lock_guard lock{mutex_};
    if (size_.load() == 0 && draining())
      told.swap(on_gone_);
  }
  for (const auto& f : told)
    f();
}

void connection_set::refuse(net::unique_fd fd, const refusal& why, counter& reason) {
  reason.add();
  const auto text = closing_answer(why, 1);
  if (::send(fd.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
    counters_->bytes_out.add(text.size());
  ::shutdown(fd.get(), SHUT_WR);
}

bool connection_set::count_address(const std::string& address, std::size_t bound) {
  const std::lock_guard lock{mutex_};
  auto& n = by_address_[address];
  if (n >= bound)
    return false;
  ++n;
  return true;
}

void connection_set::adopt(net::unique_fd fd, const boost::asio::ip::tcp::endpoint& remote) {
  counters_->accepted.add();
  if (draining())
    return refuse(std::move(fd), refusals::draining, counters_->refused_draining);
  if (size_.load() >= max_connections_.load())
    return refuse(std::move(fd), refusals::too_many_connections, counters_->refused_connections);
  std::string address;
  if (const auto bound = max_per_address_.load(); bound > 0) {
    address = key_of(remote.address());
    if (!count_address(address, bound))
      return refuse(std::move(fd), refusals::too_many_from_address, counters_->refused_address);
  }
  const auto index = emptiest();
  size_.fetch_add(1);
  shards_[index]->size.fetch_add(1, std::memory_order_relaxed);
  counters_->open.add(1);
  boost::asio::post(shards_[index]->io, [right = ticket{shared_from_this(), index, std::move(address)},
                                         taken = std::move(fd), remote]() mutable {
    std::make_shared<connection>(std::move(right), remote)->start(std::move(taken));
  });
}

std::size_t connection_set::emptiest() noexcept {
  // Begins at another one each time, so that equals take turns.
  auto best = turn_.fetch_add(1, std::memory_order_relaxed) % shards_.size();
  for (std::size_t i = 0, at = best; i < shards_.size(); ++i, at = (at + 1) % shards_.size())
    if (shards_[at]->size.load(std::memory_order_relaxed) <
        shards_[best]->size.load(std::memory_order_relaxed))
      best = at;
  return best;
}

void connection_set::leave(std::size_t shard, const std::string& address) noexcept {
  shards_[shard]->size.fetch_sub(1, std::memory_order_relaxed);
  counters_->open.add(-1);
  if (!address.empty()) {
    const std::lock_guard lock{mutex_};
    if (const auto hit = by_address_.find(address); hit != by_address_.end() && --hit->second == 0)
      by_address_.erase(hit);
  }
  if (size_.fetch_sub(1) == 1 && draining())
    tell_if_gone();
}

}  // namespace cafmcp::transport
