#include "cluster/runtime/coordinator/etcd_client.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace cafmcp::cluster {

using namespace std::chrono_literals;
using kind = etcd_reply::kind;

namespace {

constexpr auto shortest_attempt = 50ms;
constexpr auto longest_rest = 250ms;
constexpr unsigned max_logins = 3;  // for one call

bool fit_for_a_header(std::string_view token) {
  return token.size() <= 4096 &&
         std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

struct etcd_client::pending {
  enum class phase : std::uint8_t { waiting, running, resting, finished };

  pending(boost::asio::io_context& io, const char* p, std::string b, repeat r, clock::time_point d, handler t)
      : path(p), body(std::move(b)), again(r), deadline(d), then(std::move(t)), timer(io) {}

  const char* path;
  const std::string body;
  const repeat again;
  const clock::time_point deadline;
  handler then;
  boost::asio::steady_timer timer;
  phase now = phase::waiting;
  bool for_login = false;
  bool may_have_happened = false;  // in an earlier attempt
  std::string why = {};            // it did not work then
  unsigned attempts = 0;
  unsigned logins = 0;
  std::shared_ptr<etcd_connection> on;  // while it runs
  std::size_t endpoint = 0;
};

etcd_client::etcd_client(boost::asio::io_context& io, etcd_options options, std::vector<etcd_target> targets)
    : io_(io),
      options_(std::move(options)),
      targets_(std::move(targets)),
      back_off_(options_.shortest_back_off, options_.longest_back_off,
                reinterpret_cast<std::uintptr_t>(this) ^
                    static_cast<std::uint64_t>(clock::now().time_since_epoch().count())),
      wants_token_(!options_.user.empty()) {
  for (const auto& t : targets_)
    shown_.push_back(t.shown());
}

void etcd_client::call(const char* path, std::string body, repeat again, clock::time_point deadline,
                       handler then) {
  const auto c = std::make_shared<pending>(io_, path, std::move(body), again, deadline, std::move(then));
  // Those that rest before they are asked again wait, too.
  const bool full = all_.size() >= options_.waiting + options_.connections * targets_.size() ||
                    bytes_ + c->body.size() > options_.request_bytes;
  add(c);
  if (full)
    return lose(c, "too many calls of etcd are under way");
  arm(c, deadline);
  enqueue(c, false);
  pump();
}

void etcd_client::add(const call_ptr& c) {
  all_.push_back(c);
  bytes_ += c->body.size();
}

void etcd_client::enqueue(const call_ptr& c, bool first) {
  c->now = pending::phase::waiting;
  first ? waiting_.push_front(c) : waiting_.push_back(c);
}

// Calls run as far as there are connections; the rest waits.
void etcd_client::pump() {
  while (!over_ && !waiting_.empty()) {
    if (clock::now() < closed_until_) {
      lose(next_in_queue(), last_failure_);
      continue;
    }
    const bool no_token = wants_token_ && token_.empty();
    if (no_token && !logging_in_)
      login(waiting_.front());
    if (no_token && !waiting_.front()->for_login)
      return;
    auto* l = free_line();
    if (l == nullptr)
      return;
    ask(*l, next_in_queue());
  }
}

etcd_client::call_ptr etcd_client::next_in_queue() {
  auto c = waiting_.front();
  waiting_.pop_front();
  return c;
}

etcd_client::line* etcd_client::free_line() {
  std::erase_if(lines_, [&](const line& l) {
    const bool useless =
        !l.busy_with && (l.connection->over() || (l.endpoint != current_ && targets_.size() > 1));
    if (useless)
      l.connection->close();
    return useless;
  });
  for (auto& l : lines_)
    if (!l.busy_with && l.endpoint == current_)
      return &l;
  // Those that hang on another member don't count: the rest must go on meanwhile.
  const auto here =
      std::count_if(lines_.begin(), lines_.end(), [&](const line& l) { return l.endpoint == current_; });
  if (static_cast<std::size_t>(here) >= options_.connections)
    return nullptr;
  lines_.push_back({connection_to(current_), current_, nullptr});
  return &lines_.back();
}

void etcd_client::ask(line& l, const call_ptr& c) {
  l.busy_with = c;
  c->on = l.connection;
  c->endpoint = l.endpoint;
  c->now = pending::phase::running;
  // Half of the time is for whom else there is.
  auto patience = std::chrono::duration_cast<clock::duration>(options_.attempt);
  if (targets_.size() > 1)
    patience = std::min(patience, (c->deadline - clock::now()) / 2);
  arm(c, clock::now() + std::max<clock::duration>(patience, shortest_attempt));
  l.connection->exchange(
      message_to(l.endpoint, c->path, c->body),
      [w = weak_from_this(), on = std::weak_ptr(l.connection), asked = std::weak_ptr(c)](etcd_exchange what) {
        const auto me = w.lock();
        const auto call = asked.lock();
        if (me && call)
          me->on_exchange(on.lock(), call, std::move(what));
      });
}

void etcd_client::on_exchange(const std::shared_ptr<etcd_connection>& connection, const call_ptr& c,
                              etcd_exchange what) {
  if (over_)
    return;
  for (auto& l : lines_)
    if (l.connection == connection)
      l.busy_with.reset();
  if (c->now == pending::phase::running) {
    c->on.reset();
    if (!what.answered && !what.sent) {
      on_unreachable(c, what.text);
    } else if (!what.answered) {
      leave(c->endpoint);
      on_reply(c, {kind::maybe, {}, shown_[c->endpoint] + ": " + what.text});
    } else {
      unreachable_ = 0;
      back_off_.reset();
      auto reply = classify(what.status, what.text);
      if (reply.what == kind::maybe || reply.what == kind::not_now)
        leave(c->endpoint);
      on_reply(c, std::move(reply));
    }
  }
  pump();
}

void etcd_client::on_reply(const call_ptr& c, etcd_reply reply) {
  reply.endpoint = c->endpoint;
  c->may_have_happened |= reply.what == kind::maybe;
  switch (reply.what) {
    case kind::not_now:
      return again(c, reply.why);
    case kind::maybe:
      return c->again == repeat::yes ? again(c, reply.why) : finish(c, std::move(reply));
    case kind::login:
      token_.clear();
      wants_token_ = !options_.user.empty();
      if (!wants_token_ || c->for_login || ++c->logins > max_logins)
        return finish(c, {kind::denied, {}, reply.why});
      return enqueue(c, true);
    default:
      return finish(c, std::move(reply));
  }
}

// A call of its own, before all others. Without an answer all that wait for it go the same way.
void etcd_client::login(const call_ptr& because) {
  logging_in_ = true;
  const auto c = std::make_shared<pending>(
      io_, "/v3/auth/authenticate", login_request(options_.user, options_.password), repeat::yes,
      std::max(because->deadline, clock::now() + options_.attempt), [w = weak_from_this()](etcd_reply reply) {
        if (const auto me = w.lock())
          me->on_login(std::move(reply));
      });
  c->for_login = true;
  add(c);
  arm(c, c->deadline);
  enqueue(c, true);
}

void etcd_client::on_login(etcd_reply reply) {
  logging_in_ = false;
  if (reply.what == kind::done) {
    const auto i = reply.answer.find("token");
    if (i != reply.answer.end() && i->is_string() && fit_for_a_header(i->get_ref<const std::string&>()))
      token_ = i->get<std::string>();
    if (token_.empty())
      reply = {kind::maybe, {}, "no token in the answer"};
  }
  if (reply.why == "etcdserver: authentication is not enabled")
    wants_token_ = false;
  if (wants_token_ && token_.empty()) {
    // Nobody has been let in, so nothing of theirs has happened.
    last_failure_ = "cannot log in: " + reply.why;
    closed_until_ = clock::now() + back_off_.next();
    while (!waiting_.empty())
      lose(next_in_queue(), last_failure_);
  }
  pump();
}

// The member can't be reached. When that is true of all, nobody waits any longer.
void etcd_client::on_unreachable(const call_ptr& c, const std::string& why) {
  unreachable_ += c->endpoint == current_ ? 1 : 0;
  leave(c->endpoint);
  if (unreachable_ < targets_.size())
    return enqueue(c, true);
  unreachable_ = 0;
  last_failure_ = why;
  closed_until_ = clock::now() + back_off_.next();
  lose(c, why);
  while (!waiting_.empty())
    lose(next_in_queue(), why);
}

// Its time, or that of an attempt, is over.
void etcd_client::on_time(const call_ptr& c) {
  const bool last = clock::now() >= c->deadline;
  if (c->now == pending::phase::waiting) {
    if (!last)  // it was that of an earlier attempt
      return arm(c, c->deadline);
    std::erase(waiting_, c);
    return lose(c, "etcd is too slow: no connection was free in time");
  }
  if (c->now == pending::phase::resting) {
    if (last)
      return lose(c, c->why);
    enqueue(c, true);
    return pump();
  }
  const auto on = c->on;
  if (!last && on->sent() && c->again == repeat::no) {
    leave(c->endpoint);  // for all others; this one has to wait
    arm(c, c->deadline);
    return pump();
  }
  const bool sent = on->sent();
  c->may_have_happened |= sent;
  c->on.reset();
  drop(on);
  const auto why = shown_[c->endpoint] + (sent ? ": no answer in time" : ": no connection in time");
  if (!sent && !last) {
    on_unreachable(c, why);
  } else {
    leave(c->endpoint);
    last ? lose(c, why) : again(c, why);
  }
  pump();
}

// At the next member at once, after all of them with a pause.
void etcd_client::again(const call_ptr& c, const std::string& why) {
  const auto now = clock::now();
  if (now >= c->deadline)
    return lose(c, why);
  c->why = why;
  if (++c->attempts % targets_.size() != 0)
    return enqueue(c, true);
  c->now = pending::phase::resting;
  const auto rounds = std::min<std::size_t>(c->attempts / targets_.size(), 8);
  arm(c, now + std::min<clock::duration>(options_.shortest_back_off * (1U << rounds), longest_rest));
}

void etcd_client::arm(const call_ptr& c, clock::time_point when) {
  c->timer.expires_at(std::min(when, c->deadline));
  c->timer.async_wait([w = weak_from_this(), call = std::weak_ptr(c)](const boost::system::error_code& ec) {
    const auto me = w.lock();
    const auto found = call.lock();
    // One that was too late to be cancelled has been armed anew.
    if (!ec && me && !me->over_ && found && found->now != pending::phase::finished &&
        clock::now() >= found->timer.expiry())
      me->on_time(found);
  });
}

void etcd_client::leave(std::size_t endpoint) {
  if (endpoint == current_)
    current_ = (current_ + 1) % targets_.size();
}

void etcd_client::drop(const std::shared_ptr<etcd_connection>& connection) {
  connection->close();
  std::erase_if(lines_, [&](const line& l) { return l.connection == connection; });
}

void etcd_client::lose(const call_ptr& c, const std::string& why) {
  finish(c, {c->may_have_happened ? kind::maybe : kind::never, {}, why});
}

// Whoever has asked is told later, since this may be within its call.
void etcd_client::finish(const call_ptr& c, etcd_reply reply) {
  c->now = pending::phase::finished;
  c->timer.cancel();
  std::erase(all_, c);
  bytes_ -= c->body.size();
  boost::asio::post(io_, [me = shared_from_this(), c, reply = std::move(reply)]() mutable {
    if (!me->over_)
      c->then(std::move(reply));
  });
}

void etcd_client::close() {
  if (over_)
    return;
  over_ = true;
  for (const auto& l : lines_)
    l.connection->close();
  for (const auto& c : all_)
    c->timer.cancel();
  // Handlers may hold whoever holds this, and this may be within one.
  boost::asio::post(io_, [me = shared_from_this()] {
    me->lines_.clear();
    me->waiting_.clear();
    me->all_.clear();
  });
}

std::shared_ptr<etcd_connection> etcd_client::connection_to(std::size_t endpoint) {
  return std::make_shared<etcd_connection>(io_, targets_[endpoint], options_);
}

std::string etcd_client::message_to(std::size_t endpoint, const char* path, const std::string& body) const {
  // Without `hasleader`, a member that is cut off from the others lets us wait and says nothing.
  auto out = std::string("POST ") + path + " HTTP/1.1\r\nHost: " + shown_[endpoint] +
             "\r\nContent-Type: application/json\r\nGrpc-Metadata-hasleader: true\r\nContent-Length: " +
             std::to_string(body.size()) + "\r\n";
  if (!token_.empty())
    out += "Authorization: " + token_ + "\r\n";
  return out + "\r\n" + body;
}

}  // namespace cafmcp::cluster
