// The exchange of mcp-ws: a session on a WebSocket, with up to `pipeline` calls in flight, which may be
// answered in any order. Notifications and requests of the server are passed over.

#include <algorithm>
#include <boost/circular_buffer.hpp>
#include <vector>

#include "bench/ws_pump.hpp"

namespace cafmcp::bench {

namespace {

// A message that belongs to no call ends the connection: the call that it may have been for would never end.
void count_stray(worker& w, std::string_view expected, std::string_view message) {
  w.failed(failure::mismatch, "no answer to " + std::string{expected} + ": " + excerpt(message));
}

std::string_view text_of(const beast::flat_buffer& buffer) {
  return {static_cast<const char*>(buffer.data().data()), buffer.size()};
}

mcp_answer read_answer(worker& w, beast::flat_buffer& message) {
  message.prepare(json_reader::room_needed);  // there is room behind the message now
  return w.answers().read(text_of(message), json_reader::room_needed);
}

bool from_server(const mcp_answer& answer) {
  return answer.what == mcp_answer::kind::notified || answer.what == mcp_answer::kind::request;
}

// The steps of a session one by one: how it is opened, and all of it when it is not kept.
class session_steps final : waiter {
 public:
  session_steps(worker& w, ws_stream& ws) : waiter(w), ws_(ws) {}

  task<bool> open();
  task<bool> live_once();

 private:
  steady_clock::time_point waiting_since() const override { return waiting_since_; }
  void give_up() override {
    given_up_ = true;
    error_code ignored;
    ws_.next_layer().close(ignored);
  }

  // Counts a failure of the connection, unless it was ended for one that is counted already.
  bool broken(failure kind, const std::string& why) {
    if (!given_up_)
      worker_.failed(kind, why);
    return false;
  }

  task<bool> send(std::string_view message);
  task<bool> receive();  // up to the next answer, which is left in `message_` and `answer_`
  task<bool> close();

  ws_stream& ws_;
  beast::flat_buffer message_;
  mcp_answer answer_;
  const steady_clock::time_point waiting_since_ = steady_clock::now();
  bool given_up_ = false;
};

task<bool> session_steps::send(std::string_view message) {
  auto [ec, bytes] = co_await ws_.async_write(asio::buffer(message), awaiting);
  co_return ec ? broken(failure::write, ec.message()) : true;
}

task<bool> session_steps::receive() {
  do {
    message_.clear();
    auto [ec, bytes] = co_await ws_.async_read(message_, awaiting);
    if (ec)
      co_return broken(kind_of(ec, failure::read), ec.message());
    answer_ = read_answer(worker_, message_);
  } while (from_server(answer_));
  co_return true;
}

task<bool> session_steps::close() {
  auto [ec] = co_await ws_.async_close(websocket::close_code::normal, awaiting);
  co_return ec ? broken(kind_of(ec, failure::read), ec.message()) : true;
}

task<bool> session_steps::open() {
  const mcp_messages& messages = worker_.the_plan().messages;
  const std::string refusal = co_await open_websocket(worker_.the_plan(), ws_);
  if (!refusal.empty())
    co_return broken(failure::handshake, refusal);
  const bool answered = co_await send(messages.initialize) && co_await receive();
  if (!answered)
    co_return false;
  if (answer_.what != mcp_answer::kind::success || answer_.id != initialize_id ||
      negotiated_revision(text_of(message_)).has_error()) {
    worker_.failed(failure::session, "initialize was answered with " + excerpt(text_of(message_)));
    co_return false;
  }
  const bool told = co_await send(messages.initialized);
  if (told)
    worker_.opened_session();
  co_return told;
}

task<bool> session_steps::live_once() {
  const plan& p = worker_.the_plan();
  const auto since = waiting_since_;
  const bool opened = co_await open();
  if (!opened)
    co_return false;
  std::string call;
  append_call(p.messages, initialize_id + 1, call);
  const bool sent = co_await send(call);
  if (!sent)
    co_return false;
  if (p.use == session_use::abandon) {
    drop(ws_.next_layer(), worker_.alternate());
    worker_.answered(since, steady_clock::now(), call.size(), 0);
    co_return true;
  }
  const bool answered = co_await receive();
  if (!answered)
    co_return false;
  const std::size_t received = message_.size();
  if (answer_.id != initialize_id + 1 || answer_.what == mcp_answer::kind::malformed) {
    count_stray(worker_, "the call", text_of(message_));
    co_return false;
  }
  if (answer_.what == mcp_answer::kind::failure) {
    worker_.failed(failure::answer, answer_.detail);
    co_return false;
  }
  const bool closed = co_await close();
  if (closed)
    worker_.answered(since, steady_clock::now(), call.size(), received);
  co_return closed;
}

// Calls in an open session. Slot s takes the ids s, s + n, s + 2n …, so that an id leads to its slot.
class call_loop final : public ws_pump, waiter {
 public:
  call_loop(worker& w, ws_stream& ws)
      : ws_pump(w, ws), waiter(w), slots_(w.the_plan().pipeline), free_(slots_.size()) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      slots_[i].next_id = i + slots_.size();
      free_.push_back(i);
    }
  }

  bool answered() const { return answered_; }

 private:
  using ws_pump::worker_;

  struct slot {
    std::uint64_t next_id = 0;
    bool in_flight = false;
    steady_clock::time_point since;
    std::size_t bytes = 0;
  };

  steady_clock::time_point waiting_since() const override {
    auto oldest = nothing_awaited;
    for (const slot& s : slots_)
      if (s.in_flight)
        oldest = std::min(oldest, s.since);
    return oldest;
  }
  void give_up() override { end(); }

  std::string_view next() override {
    if (free_.empty())
      return {};
    slot& s = slots_[free_.front()];
    free_.pop_front();
    out_.clear();
    append_call(worker_.the_plan().messages, s.next_id, out_);
    s.bytes = out_.size();
    s.in_flight = true;
    s.since = steady_clock::now();
    return out_;
  }

  bool take(beast::flat_buffer& message) override {
    const auto now = steady_clock::now();
    const mcp_answer answer = read_answer(worker_, message);
    if (from_server(answer))
      return true;
    const std::size_t index = answer.id % slots_.size();
    slot& s = slots_[index];
    if (answer.what == mcp_answer::kind::malformed || !s.in_flight || answer.id != s.next_id) {
      count_stray(worker_, "any call in flight", text_of(message));
      return false;
    }
    if (answer.what == mcp_answer::kind::success)
      worker_.answered(s.since, now, s.bytes, message.size());
    else
      worker_.failed(failure::answer, answer.detail);
    answered_ = true;
    s.in_flight = false;
    s.next_id += slots_.size();
    free_.push_back(index);
    return true;
  }

  std::vector<slot> slots_;
  boost::circular_buffer<std::size_t> free_;  // in the order in which they became free
  std::string out_;
  bool answered_ = false;
};

}  // namespace

task<bool> exchange_mcp_ws(worker& w, tcp_socket socket) {
  ws_stream ws{std::move(socket)};
  {
    session_steps steps{w, ws};
    if (w.the_plan().use != session_use::keep) {
      const bool lived = co_await steps.live_once();
      co_return lived;
    }
    const bool opened = co_await steps.open();
    if (!opened)
      co_return false;
  }
  call_loop loop{w, ws};
  co_await loop.run();
  co_return loop.answered();
}

}  // namespace cafmcp::bench
