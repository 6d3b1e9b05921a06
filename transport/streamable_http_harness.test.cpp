// The fake gateway and the clients that the tests of /mcp use.
#define CAF_SUITE transport_streamable_http_harness

#include "transport/streamable_http_harness.hpp"

#include "tests/unit/caf_test.hpp"

namespace cafmcp::transport::test {

using namespace std::literals;
namespace websocket = boost::beast::websocket;

bool fake_session::receive(incoming what, channel_ptr reply_to) {
  auto bytes = what.bytes();
  if (bytes.find("full") != std::string::npos)
    return false;
  with_lock([&] { last_message_ = bytes; });
  messages.fetch_add(1);
  if (reply_to)
    act(bytes, reply_to);
  return true;
}

void fake_session::act(const std::string& bytes, const channel_ptr& to) {
  const auto says = [&bytes](std::string_view word) { return bytes.find(word) != std::string::npos; };
  const auto post = [&](auto f) { asio::post(pool_.context(to->context()), f); };
  const auto answer = [to, bytes](std::uint16_t status = 200) {
    outgoing m;
    m.bytes = bytes;
    m.event_id = "e1";
    m.http_status = status;
    to->send(std::move(m));
  };
  // What answers a WebSocket must not close it.
  const auto close = [to, mine = to == attached()](channel_end why = channel_end::complete) {
    if (!mine)
      to->close(why);
  };
  if (says("hold"))
    return with_lock([&] { held_ = to; });
  if (says("none"))
    return close();
  if (says("gone"))
    return close(channel_end::going_away);
  if (says("later"))
    return post([answer, close] {
      answer();
      close();
    });
  if (says("prime")) {
    outgoing m;
    m.event_id = "e0";
    m.retry_ms = 500;
    to->send(std::move(m));
    return close();
  }
  if (says("bad")) {
    answer(404);
    return close();
  }
  answer();
  if (says("split")) {
    // Some turns later: whoever waits for the answer has its turn in between.
    auto& io = pool_.context(to->context());
    return post([&io, close] { asio::post(io, [&io, close] { asio::post(io, [close] { close(); }); }); });
  }
  if (says("two"))
    answer();
  close();
}

void fake_session::attach(channel_ptr channel, std::string last_event_id) {
  auto old = with_lock([&] {
    last_event_id_ = std::move(last_event_id);
    return std::exchange(attached_, channel);
  });
  attaches.fetch_add(1);
  if (old)
    asio::post(pool_.context(old->context()), [old] { old->close(channel_end::replaced); });
}

void fake_session::detach(const channel_ptr& channel, std::vector<std::string> unsent) {
  missed.fetch_add(unsent.size());
  with_lock([&] {
    if (attached_ == channel)
      attached_.reset();
  });
  detaches.fetch_add(1);
}

bool fake_session::on(const channel_ptr& channel, std::function<bool(client_channel&)> f) {
  std::promise<bool> done;
  asio::post(pool_.context(channel->context()), [&] { done.set_value(f(*channel)); });
  return done.get_future().get();
}

asio::awaitable<result<std::shared_ptr<session_port>>> fake_gateway::create(session_request) {
  if (down)
    co_return fail(errc::unavailable, "not now");
  co_return add("new-" + std::to_string(size()));
}

asio::awaitable<result<std::shared_ptr<session_port>>> fake_gateway::find(session_request request) {
  if (down)
    co_return fail(errc::unavailable, "not now");
  const auto hit = session(request.session_id);
  if (!hit || hit->ended)
    co_return fail(errc::not_found, "no such session");
  co_return hit;
}

std::shared_ptr<fake_session> fake_gateway::session(const std::string& id) const {
  const std::lock_guard lock{mutex_};
  const auto hit = sessions_.find(id);
  return hit == sessions_.end() ? nullptr : hit->second;
}

std::size_t fake_gateway::size() const {
  const std::lock_guard lock{mutex_};
  return sessions_.size();
}

std::shared_ptr<fake_session> fake_gateway::add(const std::string& id) {
  const std::lock_guard lock{mutex_};
  return sessions_[id] = std::make_shared<fake_session>(pool_, id);
}

mcp_harness::mcp_harness(mcp_options options, const limits& bounds, std::size_t threads) {
  auto opened = net::listen("127.0.0.1", 0);
  socket.emplace(std::move(opened.value()));
  pool = std::make_unique<otp::io_pool>(threads);
  sessions = std::make_shared<fake_gateway>(*pool);
  sessions->add("s1");
  options.counters = counters;
  auto routes = std::make_shared<router>();
  add_mcp_routes(*routes, sessions, std::move(options));
  set = connection_set::make(*pool, routes, bounds, counters);
  server = std::make_unique<http_server>(*pool, *socket, set);
  if (!server->start())
    std::abort();
}

mcp_harness::~mcp_harness() {
  server.reset();
  if (pool)
    pool->stop();
}

std::string mcp_request(std::string_view method, std::string_view headers, std::string_view body) {
  std::string out{method};
  out.append(" /mcp HTTP/1.1\r\nHost: localhost\r\n").append(headers);
  if (!body.empty())
    out.append("Content-Length: " + std::to_string(body.size()) + "\r\n");
  return out.append("\r\n").append(body);
}

std::string mcp_post(std::string_view word) {
  return mcp_request("POST",
                     "Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n"
                     "Mcp-Session-Id: s1\r\n",
                     R"({"jsonrpc":"2.0","id":1,"method":")" + std::string{word} + "\"}");
}

std::string until(client& c, std::string_view end) {
  std::string out;
  while (!out.ends_with(end)) {
    const auto next = c.take(1);
    if (next.empty())
      break;
    out += next;
  }
  return out;
}

template <class F>
ws_client::ec_type ws_client::run(F start) {
  std::optional<ec_type> out;
  start([&out](ec_type ec, auto&&...) { out = ec; });
  io.restart();
  io.run_for(20s);
  if (out)
    return *out;
  vanish();
  io.restart();
  io.run();
  return asio::error::timed_out;
}

ws_client::ec_type ws_client::connect(std::uint16_t port, const std::string& target, const headers& more) {
  auto& socket = ws.next_layer();
  const asio::ip::tcp::endpoint to{asio::ip::address_v4::loopback(), port};
  if (const auto ec = run([&](auto f) { socket.async_connect(to, f); }))
    return ec;
  ws.set_option(websocket::stream_base::decorator{[more](websocket::request_type& req) {
    for (const auto& [name, value] : more)
      req.set(name, value);
  }});
  return run([&](auto f) { ws.async_handshake(response, "localhost", target, f); });
}

ws_client::ec_type ws_client::send(std::string_view text, bool binary) {
  ws.binary(binary);
  return run([&](auto f) { ws.async_write(asio::buffer(text.data(), text.size()), f); });
}

std::optional<std::string> ws_client::read() {
  boost::beast::flat_buffer in;
  if (run([&](auto f) { ws.async_read(in, f); }))
    return std::nullopt;
  return boost::beast::buffers_to_string(in.data());
}

unsigned ws_client::code() {
  while (read()) {
  }
  return ws.reason().code;
}

void ws_client::vanish() {
  ec_type ec;
  ws.next_layer().close(ec);
}

ws_client::ec_type ws_client::close() {
  return run([&](auto f) { ws.async_close(websocket::close_code::normal, f); });
}

}  // namespace cafmcp::transport::test

using namespace cafmcp::transport::test;
using namespace std::literals;

CAF_TEST(the harness serves one message either way) {
  mcp_harness h;
  client c{h.port()};
  CAF_CHECK_EQUAL(c.ask(mcp_post("now")).status, 200);
  ws_client w;
  CAF_CHECK(!w.connect(h.port()));
  CAF_CHECK(!w.send("hello"));
  CAF_CHECK_EQUAL(w.read().value_or(""), "hello"s);
}
