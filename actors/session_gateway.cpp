#include "actors/session_gateway.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "actors/shard.hpp"
#include "transport/actor_call.hpp"

namespace cafmcp::actors {

using transport::session_port;
using transport::session_request;

namespace {

constexpr std::chrono::milliseconds shard_timeout{5'000};

// For how long a shard that is away is waited for: a restart takes a fraction of this.
constexpr std::chrono::milliseconds shard_pause{10};
constexpr std::size_t shard_tries = 100;

// One client's way to its session.
class session_link final : public session_port, public std::enable_shared_from_this<session_link> {
 public:
  session_link(environment_ptr environment, entry_ptr entry)
      : env_(std::move(environment)), id_(entry->id), entry_(std::move(entry)) {}

  const std::string& id() const noexcept override { return id_; }

  bool receive(transport::incoming what, transport::channel_ptr reply_to) override {
    const auto to = entry();
    const auto queued = to->queued.load(std::memory_order_relaxed);
    const auto waiting = to->queued_bytes.load(std::memory_order_relaxed);
    if (queued >= env_->limits.queued_messages ||
        (waiting > 0 && waiting + what.bytes().size() > env_->limits.queued_bytes))
      return false;
    session_input input;
    input.body = std::move(what);
    input.channel = std::move(reply_to);
    submit(std::move(input), to);
    return true;
  }

  void attach(transport::channel_ptr channel, std::string last_event_id) override {
    session_input input;
    input.what = session_input::kind::attach;
    input.channel = std::move(channel);
    input.last_event_id = std::move(last_event_id);
    input.link = weak_from_this();
    submit(std::move(input), entry());
  }

  void detach(const transport::channel_ptr& channel, std::vector<std::string> missed) override {
    session_input input;
    input.what = session_input::kind::detach;
    input.channel = channel;
    input.missed = std::move(missed);
    submit(std::move(input), entry());
  }

  void end() override {
    // From here the session is unknown to everybody, although its actor has yet to hear of it.
    const auto to = entry();
    to->ended = true;
    session_input input;
    input.what = session_input::kind::end;
    submit(std::move(input), to);
  }

 private:
  void submit(session_input input, const entry_ptr& to) {
    input.where = input.channel ? input.channel->context() : env_->router->shard_of(id_);
    env_->router->submit(std::move(input), to);
  }

  // The session may have been away in the meantime, and have another entry.
  entry_ptr entry() {
    const std::lock_guard lock{mutex_};
    if (!entry_->actor())
      if (auto now = env_->router->directory().find(entry_->id))
        entry_ = std::move(now);
    return entry_;
  }

  const environment_ptr env_;
  const std::string id_;
  std::mutex mutex_;
  entry_ptr entry_;
};

}  // namespace

// What a shard says to `message`. One that is being restarted is waited for.
template <class Message>
boost::asio::awaitable<result<entry_ptr>> session_gateway::ask_shard(Message message) {
  const auto index = env_->router->shard_of(message.id);
  boost::asio::steady_timer pause{co_await boost::asio::this_coro::executor};
  for (std::size_t tries = 1;; ++tries) {
    result<session_answer> answer{boost::system::in_place_error,
                                  fail(errc::unavailable, "sessions are restarting; try again")};
    if (const auto shard = env_->router->shard(index))
      answer = co_await transport::call<session_answer>(runtime_, shard, shard_timeout, message);
    if (answer)
      co_return answer->entry;
    if (answer.error().code != errc::unavailable || tries == shard_tries)
      co_return answer.error();
    pause.expires_after(shard_pause);
    co_await pause.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    // The shard that died may have made a session of that id.
    if constexpr (std::is_same_v<Message, create_session>)
      message.id = env_->router->make_id(message.where);
  }
}

boost::asio::awaitable<result<std::shared_ptr<session_port>>> session_gateway::create(
    session_request request) {
  const auto where = runtime_.pool().current();
  create_session message{env_->router->make_id(where), std::move(request.principal), where};
  const auto entry = co_await ask_shard(std::move(message));
  if (!entry)
    co_return entry.error();
  co_return std::make_shared<session_link>(env_, *entry);
}

boost::asio::awaitable<result<std::shared_ptr<session_port>>> session_gateway::find(session_request request) {
  auto entry = env_->router->directory().find(request.session_id);
  if (entry == nullptr || !entry->actor()) {
    wake_session message{request.session_id, runtime_.pool().current()};
    auto woken = co_await ask_shard(std::move(message));
    if (!woken)
      co_return woken.error();
    entry = std::move(*woken);
  }
  if (entry->ended)
    co_return fail(errc::not_found, "no such session");
  if (entry->principal != request.principal)
    co_return fail(errc::denied, "another principal's session");
  co_return std::make_shared<session_link>(env_, std::move(entry));
}

}  // namespace cafmcp::actors
