#include "cluster/runtime/coordinator/etcd_watch.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/log.hpp"
#include "cluster/runtime/coordinator/etcd_snapshot.hpp"

namespace cafmcp::cluster {

using namespace std::chrono_literals;
using kind = etcd_reply::kind;

namespace {

/// For a snapshot, and for somebody to serve.
constexpr auto patience = 5s;

auto& logger() {
  static auto& instance = log::get("cluster");
  return instance;
}

}  // namespace

etcd_watch::etcd_watch(std::shared_ptr<etcd_client> client, std::string prefix, watch_handler handler)
    : client_(std::move(client)),
      prefix_(std::move(prefix)),
      handler_(std::move(handler)),
      timer_(client_->io()),
      back_off_(client_->options().shortest_back_off, client_->options().longest_back_off,
                reinterpret_cast<std::uintptr_t>(this) ^
                    static_cast<std::uint64_t>(clock::now().time_since_epoch().count())) {}

void etcd_watch::stop() {
  if (over_)
    return;
  over_ = true;
  timer_.cancel();
  hang_up();
  // This may be within one of the handlers.
  boost::asio::post(client_->io(), [me = shared_from_this()] { me->handler_ = {}; });
}

void etcd_watch::begin() {
  hang_up();
  needs_snapshot_ ? read_all() : find_member();
}

void etcd_watch::read_all() {
  read_snapshot(client_, prefix_, clock::now() + patience,
                [w = weak_from_this(), attempt = attempt_](result<etcd_snapshot> read) {
                  const auto me = w.lock();
                  if (!me || me->over_ || me->attempt_ != attempt)
                    return;
                  if (!read)
                    return me->lost(read.error().message, blame::nobody);
                  me->needs_snapshot_ = false;
                  me->told_ = read->what.at;
                  me->keys_ = static_cast<std::int64_t>(read->what.facts.size());
                  me->cluster_ = read->cluster;
                  me->handler_.on_snapshot(std::move(read->what));
                  if (!me->over_)
                    me->find_member();
                });
}

// Whoever answers this serves, and has let us in.
void etcd_watch::find_member() {
  client_->call("/v3/kv/range", newest_request(prefix_), etcd_client::repeat::yes, clock::now() + patience,
                [w = weak_from_this(), attempt = attempt_, told = told_](etcd_reply reply) {
                  const auto me = w.lock();
                  if (!me || me->over_ || me->attempt_ != attempt)
                    return;
                  if (reply.what != kind::done)
                    return me->lost(reply.why, blame::nobody);
                  const auto now = parse_range(reply.answer);
                  if (!now)
                    return me->lost("an answer that is not that to a range", blame::member);
                  if (me->same_history(*now, told))
                    me->follow(reply.endpoint);
                });
}

void etcd_watch::follow(std::size_t endpoint) {
  endpoint_ = endpoint;
  created_ = false;
  steady_ = false;
  lags_since_.reset();
  stream_ = client_->connection_to(endpoint);
  stream_->exchange(
      client_->message_to(endpoint, "/v3/watch", watch_request(prefix_, told_ + 1)),
      [w = weak_from_this(), attempt = attempt_](const etcd_exchange& end) {
        const auto me = w.lock();
        if (!me || me->over_ || me->attempt_ != attempt)
          return;
        // What isn't a stream is one answer, and that an error.
        if (end.answered && classify(end.status, end.text).what == kind::login)
          me->client_->forget_token();
        me->lost(
            end.answered ? "the stream has ended (HTTP status " + std::to_string(end.status) + ')' : end.text,
            blame::member);
      },
      [w = weak_from_this(), attempt = attempt_](std::string_view line) {
        if (const auto me = w.lock(); me && !me->over_ && me->attempt_ == attempt)
          me->on_line(line);
      });
  wait(client_->options().connect + client_->options().probe,
       [this] { lost("no stream in time", blame::member); });
}

void etcd_watch::on_line(std::string_view line) {
  auto message = parse_watch(line);
  if (!message)
    return lost("a message that is not one of a watch", blame::member);
  if (message->compacted > 0 || message->meaning == kind::compacted)
    return begin_anew("etcd has forgotten what has happened meanwhile");
  if (message->meaning == kind::login)
    client_->forget_token();
  if (message->canceled)
    return lost("the stream is cancelled: " + message->why, blame::member);
  if (!message->events.empty())
    on_events(std::move(message->events));
  if (over_ || !message->created || std::exchange(created_, true))
    return;
  probe();
}

void etcd_watch::on_events(std::vector<fact_event> events) {
  std::erase_if(events, [&](const fact_event& e) { return e.what.modified <= told_; });
  if (events.empty())
    return;
  for (const auto& e : events)
    keys_ += e.erased ? -1 : e.what.created == e.what.modified ? 1 : 0;
  told_ = events.back().what.modified;
  handler_.on_events(std::move(events));
}

void etcd_watch::probe() {
  if (!probe_ || probe_->over())
    probe_ = client_->connection_to(endpoint_);
  probe_->exchange(client_->message_to(endpoint_, "/v3/kv/range", newest_request(prefix_)),
                   [w = weak_from_this(), attempt = attempt_, told = told_](const etcd_exchange& end) {
                     const auto me = w.lock();
                     if (!me || me->over_ || me->attempt_ != attempt)
                       return;
                     end.answered ? me->on_probe(classify(end.status, end.text), told)
                                  : me->lost(end.text, blame::member);
                   });
  wait(client_->options().probe, [this] { lost("no answer in time", blame::member); });
}

void etcd_watch::on_probe(const etcd_reply& reply, revision told_before) {
  if (reply.what == kind::login)
    client_->forget_token();
  if (reply.what != kind::done)
    return lost(reply.why, reply.what == kind::login ? blame::nobody : blame::member);
  const auto now = parse_range(reply.answer);
  if (!now)
    return lost("an answer that is not that to a range", blame::member);
  if (!same_history(*now, told_before))
    return;
  const auto newest = now->facts.empty() ? 0 : now->facts.front().modified;
  // What was told may be newer than this answer.
  if (told_ < now->header.at && (told_ < newest || keys_ != now->count))
    return on_lag();
  lags_since_.reset();
  lags_ = 0;
  // Not for one that has just come and may go at once.
  if (std::exchange(steady_, true))
    back_off_.reset();
  wait(client_->options().probe, [this] { probe(); });
  say_contact(true);
}

// Revisions only grow, so an etcd that is behind what was told before it was asked is another one, or one
// that was restored.
bool etcd_watch::same_history(const etcd_range& now, revision told_before) {
  if (now.header.at >= told_before && now.header.cluster == cluster_)
    return true;
  begin_anew("this etcd has another history");
  return false;
}

void etcd_watch::on_lag() {
  const auto now = clock::now();
  if (!lags_since_ || told_ != told_when_lagging_) {
    lags_since_ = now;
    told_when_lagging_ = told_;
  }
  if (now - *lags_since_ < client_->options().lag)
    return wait(client_->options().probe / 4, [this] { probe(); });
  // If that is no help, then what we believe to have told is wrong.
  needs_snapshot_ |= ++lags_ > 1;
  lost("the stream is behind", blame::member);
}

void etcd_watch::begin_anew(const std::string& why) {
  logger().warn("a watch begins anew", {{"prefix", prefix_}, {"why", why}});
  needs_snapshot_ = true;
  hang_up();
  wait(back_off_.next(), [this] { begin(); });
  say_contact(false);
}

void etcd_watch::lost(const std::string& why, blame whose) {
  if (contact_ != false)
    logger().warn("a watch has lost etcd", {{"prefix", prefix_}, {"why", log::printable(why, 512)}});
  if (whose == blame::member)
    client_->leave(endpoint_);
  hang_up();
  wait(back_off_.next(), [this] { begin(); });
  say_contact(false);
}

void etcd_watch::hang_up() {
  ++attempt_;
  for (auto* connection : {&stream_, &probe_})
    if (const auto old = std::exchange(*connection, {}))
      old->close();
}

void etcd_watch::say_contact(bool there) {
  if (contact_ == there || over_)
    return;
  if (there && contact_.has_value())
    logger().info("a watch has found etcd again", {{"prefix", prefix_}, {"at", client_->shown(endpoint_)}});
  contact_ = there;
  if (handler_.on_contact)
    handler_.on_contact(there);
}

// What is waited for last is all that is waited for.
void etcd_watch::wait(std::chrono::milliseconds time, std::function<void()> then) {
  timer_.expires_after(time);
  timer_.async_wait([w = weak_from_this(), then = std::move(then)](const boost::system::error_code& ec) {
    const auto me = w.lock();
    if (!ec && me && !me->over_ && clock::now() >= me->timer_.expiry())
      then();
  });
}

}  // namespace cafmcp::cluster
