#include "actors/session_input.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "actors/session_router.hpp"
#include "base/assert.hpp"
#include "mcp/message.hpp"
#include "mcp/writer.hpp"

namespace cafmcp::actors {

session_mail::box::box(session_input what, entry_ptr to, std::shared_ptr<session_router> router)
    : input_(std::move(what)), entry_(std::move(to)), router_(std::move(router)) {
  entry_->queued.fetch_add(1, std::memory_order_relaxed);
  entry_->queued_bytes.fetch_add(input_.body.bytes().size(), std::memory_order_relaxed);
}

session_mail::box::~box() {
  if (taken_)
    return;
  settle();
  if (input_.what == session_input::kind::detach && input_.missed.empty())
    return;
  const auto router = std::move(router_);
  // Twice is enough: whoever waits for an answer should hear something.
  if (input_.rerouted)
    refuse(router, std::move(input_), entry_,
           fail(errc::unavailable, "the session is restarting; try again"));
  else
    router->reroute(std::move(input_), entry_);
}

session_input session_mail::box::take() {
  CAFMCP_ASSERT(!taken_);
  settle();
  taken_ = true;
  return std::move(input_);
}

void session_mail::box::settle() noexcept {
  entry_->queued.fetch_sub(1, std::memory_order_relaxed);
  entry_->queued_bytes.fetch_sub(input_.body.bytes().size(), std::memory_order_relaxed);
}

namespace {

// For how long an input waits for its session or shard to be back, and how often; a restart takes a fraction
// of this.
constexpr std::chrono::milliseconds pause{20};
constexpr unsigned max_waits = 50;

// Whether it is worth waiting. A WebSocket is attached whenever that is, as long as it is open.
bool may_wait(const session_input& input, const error& why) {
  const bool socket = input.what == session_input::kind::attach && input.channel->is_socket();
  return why.code == errc::unavailable && (socket ? !input.link.expired() : input.waits < max_waits);
}

void try_later(const std::shared_ptr<session_router>& router, session_input input, entry_ptr entry) {
  input.waits = std::min(input.waits + 1, max_waits);
  input.rerouted = false;
  auto timer = std::make_shared<boost::asio::steady_timer>(router->pool().context(input.where), pause);
  auto& waiting = *timer;
  waiting.async_wait([timer, router, input = std::move(input),
                      entry = std::move(entry)](const boost::system::error_code& ec) mutable {
    if (!ec)
      router->submit(std::move(input), entry);
  });
}

// An answer to each request of a message that was not handled.
std::vector<std::string> refusals(const std::string& bytes, const error& why) {
  std::vector<std::string> out;
  const auto answer = [&](const mcp::parsed& m) {
    if (m && m->is_request())
      out.push_back(mcp::write_error(m->id(), mcp::unavailable(why.message)));
  };
  if (!mcp::looks_like_batch(bytes)) {
    answer(mcp::parse(bytes));
  } else if (const auto batch = mcp::parse_batch(bytes)) {
    for (const auto& m : *batch)
      answer(m);
  }
  return out;
}

void tell(const transport::channel_ptr& channel, session_input& input, const error& why) {
  using transport::channel_end;
  if (why.code == errc::not_found || why.code == errc::denied)
    return channel->close(channel_end::ended);
  // The answer to a POST has a status code for this.
  if (!channel->is_socket() || input.what != session_input::kind::message)
    return channel->close(channel_end::going_away);
  for (auto& text : refusals(input.body.bytes(), why))
    channel->send({std::move(text), {}, 0, 200});
}

}  // namespace

void refuse(const std::shared_ptr<session_router>& router, session_input input, const entry_ptr& entry,
            const error& why) {
  if (may_wait(input, why))
    return try_later(router, std::move(input), entry);
  if (!input.channel || input.what == session_input::kind::detach)
    return;
  auto& io = router->pool().context(input.channel->context());
  boost::asio::post(io, [input = std::move(input), why]() mutable {
    const auto channel = input.channel;
    tell(channel, input, why);
  });
}

}  // namespace cafmcp::actors
