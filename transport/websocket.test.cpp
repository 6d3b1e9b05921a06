#define CAF_SUITE transport_websocket

#include "transport/websocket.hpp"

#include "transport/streamable_http_harness.hpp"

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::transport;
using namespace cafmcp::transport::test;
using namespace std::literals;

namespace {

const auto key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"s;
const auto upgrade = "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"s;
const auto v13 = "Sec-WebSocket-Version: 13\r\n"s;

std::string field(const ws_client& c, const char* name) {
  const auto value = c.response[name];
  return {value.data(), value.size()};
}

bool closed_as(mcp_harness& h, close_class how) {
  return eventually([&] {
    return h.counters->closes[static_cast<std::size_t>(how)].get() == 1 &&
           h.counters->websockets.get() == 0 && h.counters->open.get() == 0;
  });
}

// The session of a new socket: it is made at the upgrade.
std::shared_ptr<fake_session> session_of(mcp_harness& h, const ws_client& c) {
  auto out = h.sessions->session(field(c, "Mcp-Session-Id"));
  CAF_REQUIRE(out != nullptr);
  return out;
}

}  // namespace

CAF_TEST(messages go both ways) {
  mcp_harness h;
  ws_client c;
  CAF_REQUIRE(!c.connect(h.port()));
  const auto s = session_of(h, c);
  CAF_CHECK_EQUAL(s->id(), "new-1"s);
  for (const std::size_t size : {1, 125, 126, 65535, 65536, 3'000'000}) {
    const std::string text(size, 'x');
    CAF_CHECK(!c.send(text));
    CAF_CHECK(c.read() == text);
  }
  for (int i = 0; i < 100; ++i)
    CAF_CHECK(!c.send("later" + std::to_string(i)));
  for (int i = 0; i < 100; ++i)
    CAF_CHECK_EQUAL(c.read().value_or(""), "later" + std::to_string(i));
  CAF_CHECK_EQUAL(h.counters->messages_in.get(), 106u);
  CAF_CHECK_EQUAL(h.counters->messages_out.get(), 106u);
  CAF_CHECK_EQUAL(h.counters->websockets.get(), 1);
  CAF_CHECK(!c.close());
  CAF_CHECK(closed_as(h, close_class::normal));
  CAF_CHECK_EQUAL(s->detaches.load(), 1);
}

CAF_TEST(fragments make one message) {
  mcp_harness h;
  ws_client c;
  CAF_REQUIRE(!c.connect(h.port()));
  c.ws.text(true);
  for (const auto& [part, last] : {std::pair{"a"s, false}, {"bc"s, false}, {"d"s, true}})
    c.ws.write_some(last, asio::buffer(part));
  CAF_CHECK_EQUAL(c.read().value_or(""), "abcd"s);
}

CAF_TEST(subprotocols) {
  mcp_harness h;
  for (const auto& [offered, echoed] :
       {std::pair{""s, ""s}, {"mcp"s, "mcp"s}, {"a, mcp"s, "mcp"s}, {"a,b"s, ""s}, {"MCP"s, ""s}}) {
    ws_client c;
    ws_client::headers more;
    if (!offered.empty())
      more.emplace_back("Sec-WebSocket-Protocol", offered);
    CAF_REQUIRE(!c.connect(h.port(), "/mcp", more));
    CAF_CHECK_EQUAL(field(c, "Sec-WebSocket-Protocol"), echoed);
    CAF_CHECK_EQUAL(field(c, "Sec-WebSocket-Extensions"), ""s);
  }
}

CAF_TEST(resuming by query and by header) {
  mcp_harness h;
  ws_client first;
  CAF_REQUIRE(!first.connect(h.port(), "/mcp?a=b&mcp-session-id=s%31"));
  CAF_CHECK_EQUAL(field(first, "Mcp-Session-Id"), "s1"s);
  ws_client second;
  CAF_REQUIRE(!second.connect(h.port(), "/mcp", {{"Mcp-Session-Id", "s1"}}));
  CAF_CHECK_EQUAL(first.code(), 1000u);
  CAF_CHECK_EQUAL(h.s1()->attaches.load(), 2);
  CAF_CHECK_EQUAL(h.s1()->detaches.load(), 0);
  CAF_CHECK(!second.send("x"));
  CAF_CHECK_EQUAL(second.read().value_or(""), "x"s);
  CAF_CHECK_EQUAL(h.sessions->size(), 1u);
}

CAF_TEST(refusals come before the upgrade) {
  mcp_harness h;
  ws_client unknown;
  CAF_CHECK(unknown.connect(h.port(), "/mcp?mcp-session-id=s2"));
  CAF_CHECK_EQUAL(unknown.response.result_int(), 404u);
  CAF_CHECK(unknown.response.body().find("-32001") != std::string::npos);
  ws_client foreign;
  CAF_CHECK(foreign.connect(h.port(), "/mcp", {{"Origin", "http://evil.example"}}));
  CAF_CHECK_EQUAL(foreign.response.result_int(), 403u);
  h.sessions->down = true;
  for (const auto* target : {"/mcp", "/mcp?mcp-session-id=s1"}) {
    ws_client busy;
    CAF_CHECK(busy.connect(h.port(), target));
    CAF_CHECK_EQUAL(busy.response.result_int(), 503u);
    CAF_CHECK_EQUAL(field(busy, "Retry-After"), "1"s);
  }
}

CAF_TEST(hostile upgrades) {
  mcp_harness h;
  const auto status = [&](const std::string& headers, std::string_view version = "1.1") {
    client c{h.port()};
    auto text = mcp_request("GET", headers);
    text.replace(text.find("HTTP/1.1") + 5, 3, version);
    const auto r = c.ask(text);
    CAF_CHECK(r.body.starts_with(R"({"jsonrpc":"2.0","error")"));
    return r.status;
  };
  CAF_CHECK_EQUAL(status(upgrade + v13), 400);
  CAF_CHECK_EQUAL(status(upgrade + v13 + "Sec-WebSocket-Key: short\r\n"), 400);
  CAF_CHECK_EQUAL(status(upgrade + v13 + "Sec-WebSocket-Key: " + std::string(2000, 'a') + "\r\n"), 400);
  CAF_CHECK_EQUAL(status(upgrade + v13 + key + key), 400);
  CAF_CHECK_EQUAL(status("Upgrade: websocket\r\n" + v13 + key), 400);
  CAF_CHECK_EQUAL(status(upgrade + v13 + key, "1.0"), 400);
  CAF_CHECK_EQUAL(status(upgrade + key), 426);
  CAF_CHECK_EQUAL(status(upgrade + key + "Sec-WebSocket-Version: 8\r\n"), 426);
  CAF_CHECK_EQUAL(h.sessions->size(), 1u);
}

CAF_TEST(frames that come with the upgrade request) {
  mcp_harness h;
  client c{h.port()};
  // A masked text frame "hi" with a mask of zeros.
  c.send(mcp_request("GET", upgrade + v13 + key) + "\x81\x82\0\0\0\0hi"s);
  CAF_CHECK(until(c, "\r\n\r\n").starts_with("HTTP/1.1 101 "));
  CAF_CHECK_EQUAL(c.take(4), "\x81\x02hi"s);
}

CAF_TEST(what a client must not send) {
  const auto code_for = [](const std::function<void(ws_client&)>& f, close_class how) {
    mcp_options options;
    options.message_bytes = 1000;
    mcp_harness h{options};
    ws_client c;
    CAF_REQUIRE(!c.connect(h.port()));
    const auto s = session_of(h, c);
    f(c);
    const auto code = c.code();
    c.vanish();
    CAF_CHECK(closed_as(h, how));
    CAF_CHECK_EQUAL(s->detaches.load(), 1);
    return code;
  };
  CAF_CHECK_EQUAL(code_for([](ws_client& c) { c.send("x", true); }, close_class::violated), 1003u);
  CAF_CHECK_EQUAL(code_for([](ws_client& c) { c.send(std::string(1001, 'x')); }, close_class::violated),
                  1009u);
  CAF_CHECK_EQUAL(code_for([](ws_client& c) { c.send("\xff\xff"); }, close_class::violated), 1007u);
  CAF_CHECK_EQUAL(code_for([](ws_client& c) { c.send("full"); }, close_class::overload), 1013u);
  // An unmasked frame.
  CAF_CHECK_EQUAL(
      code_for([](ws_client& c) { asio::write(c.ws.next_layer(), asio::buffer("\x81\x02hi", 4)); },
               close_class::violated),
      1002u);
}

CAF_TEST(a huge frame is not read) {
  mcp_harness h;
  client c{h.port()};
  c.send(mcp_request("GET", upgrade + v13 + key));
  until(c, "\r\n\r\n");
  c.send("\x81\xff\0\0\1\0\0\0\0\0\0\0\0\0abc"s);
  CAF_CHECK_EQUAL(c.take(4).substr(2), "\x03\xf1"s);  // 1009
  CAF_CHECK(c.drops_to_clean_end());
  // Whoever is still sending is not reset, which could cost it the good-bye.
  const std::string rest(2'000'000, 'x');
  CAF_CHECK_EQUAL(c.send(rest), rest.size());
  c.half_close();
  CAF_CHECK(closed_as(h, close_class::violated));
}

CAF_TEST(how a session closes) {
  for (const auto& [why, code] : {std::pair{channel_end::complete, 1000u},
                                  {channel_end::replaced, 1000u},
                                  {channel_end::ended, 1000u},
                                  {channel_end::going_away, 1001u},
                                  {channel_end::refused, 1008u}}) {
    mcp_harness h;
    ws_client c;
    CAF_REQUIRE(!c.connect(h.port()));
    const auto s = session_of(h, c);
    CAF_REQUIRE(eventually([&] { return s->attached() != nullptr; }));
    const auto channel = s->attached();
    const auto reason = why;
    s->on(channel, [&](client_channel& to) {
      outgoing m;
      m.bytes = "last";
      to.send(std::move(m));
      to.close(reason);
      return true;
    });
    CAF_CHECK_EQUAL(c.read().value_or(""), "last"s);
    CAF_CHECK_EQUAL(c.code(), code);
    CAF_CHECK(closed_as(h, code == 1008 ? close_class::violated : close_class::normal));
    CAF_CHECK_EQUAL(s->detaches.load(), 0);
  }
}

CAF_TEST(a drain says 1001) {
  mcp_harness h;
  ws_client c;
  CAF_REQUIRE(!c.connect(h.port()));
  const auto s = session_of(h, c);
  std::atomic<bool> gone{false};
  h.set->drain(60s, [&] { gone = true; });
  CAF_CHECK_EQUAL(c.code(), 1001u);
  CAF_CHECK(eventually([&] { return gone.load(); }));
  CAF_CHECK_EQUAL(s->detaches.load(), 1);
}

CAF_TEST(a client that vanishes is detached) {
  mcp_harness h;
  ws_client c;
  CAF_REQUIRE(!c.connect(h.port()));
  const auto s = session_of(h, c);
  CAF_REQUIRE(eventually([&] { return s->attached() != nullptr; }));
  const auto channel = s->attached();
  c.vanish();
  CAF_CHECK(closed_as(h, close_class::lost));
  CAF_CHECK_EQUAL(s->detaches.load(), 1);
  CAF_CHECK(!s->on(channel, [](client_channel& to) { return to.send({}); }));
}

CAF_TEST(pings are answered or else) {
  mcp_options options;
  options.ping_interval = 200ms;
  mcp_harness h{options};
  ws_client alive;
  CAF_REQUIRE(!alive.connect(h.port()));
  std::atomic<int> pings{0};
  alive.ws.control_callback(
      [&](auto kind, auto) { pings += kind == boost::beast::websocket::frame_type::ping; });
  ws_client deaf;
  CAF_REQUIRE(!deaf.connect(h.port()));
  const auto mute = session_of(h, deaf);
  const auto living = session_of(h, alive);
  // Only the first reads, and so answers pings, for as long as it takes the other to be cut.
  boost::beast::flat_buffer in;
  alive.ws.async_read(in, [](auto...) {});
  CAF_CHECK(eventually([&] {
    alive.io.restart();
    alive.io.run_for(1ms);
    return mute->detaches.load() == 1 && pings > 3;
  }));
  CAF_CHECK_EQUAL(living->detaches.load(), 0);
  CAF_CHECK_EQUAL(h.counters->closes[static_cast<std::size_t>(close_class::lost)].get(), 1u);
}

CAF_TEST(a reader that is too slow is cut and memory stays bounded) {
  mcp_options options;
  options.backlog_bytes = 1024 * 1024;
  options.close_timeout = 100ms;
  mcp_harness h{options};
  ws_client c;
  CAF_REQUIRE(!c.connect(h.port()));
  const auto s = session_of(h, c);
  CAF_REQUIRE(eventually([&] { return s->attached() != nullptr; }));
  const auto channel = s->attached();
  const std::string big(100'000, 'x');
  int sent = 0;
  while (sent < 1000 && s->on(channel, [&](client_channel& to) {
    outgoing m;
    m.bytes = big;
    return to.send(std::move(m));
  }))
    ++sent;
  CAF_CHECK_LESS(sent, 1000);
  CAF_CHECK_EQUAL(h.counters->slow_readers.get(), 1u);
  CAF_CHECK(closed_as(h, close_class::overload));
  CAF_CHECK_EQUAL(s->detaches.load(), 1);
}

CAF_TEST(a flood of pings from one who does not read is cut) {
  mcp_options options;
  options.backlog_bytes = 64 * 1024;
  options.close_timeout = 100ms;
  mcp_harness h{options};
  client c{h.port()};
  c.send(mcp_request("GET", upgrade + v13 + key));
  until(c, "\r\n\r\n");
  std::string pings;
  for (int i = 0; i < 500; ++i)
    pings.append("\x89\xfd\0\0\0\0"s).append(125, 'p');
  for (int i = 0; i < 1000 && c.send(pings) == pings.size(); ++i) {
  }
  CAF_CHECK(eventually([&] { return h.counters->open.get() == 0; }));
  CAF_CHECK_EQUAL(h.counters->slow_readers.get(), 1u);
}

CAF_TEST(sixty - four sockets at once) {
  mcp_harness h{{}, {}, 4};
  std::vector<std::unique_ptr<ws_client>> all;
  for (int i = 0; i < 64; ++i) {
    all.push_back(std::make_unique<ws_client>());
    CAF_REQUIRE(!all.back()->connect(h.port()));
  }
  for (int round = 0; round < 10; ++round) {
    for (std::size_t i = 0; i < all.size(); ++i)
      CAF_REQUIRE(!all[i]->send("later " + std::to_string(i)));
    for (std::size_t i = 0; i < all.size(); ++i)
      CAF_CHECK_EQUAL(all[i]->read().value_or(""), "later " + std::to_string(i));
  }
  CAF_CHECK_EQUAL(h.counters->websockets.get(), 64);
  for (std::size_t i = 0; i < all.size(); i += 2)
    all[i]->vanish();
  for (std::size_t i = 1; i < all.size(); i += 2)
    CAF_CHECK(!all[i]->close());
  CAF_CHECK(eventually([&] { return h.counters->open.get() == 0; }));
}

CAF_TEST(a server may be destroyed with sockets open) {
  for (int order = 0; order < 2; ++order) {
    mcp_harness h;
    ws_client open;
    ws_client closing;
    CAF_REQUIRE(!open.connect(h.port()));
    CAF_REQUIRE(!closing.connect(h.port()));
    const auto s = session_of(h, closing);
    CAF_REQUIRE(eventually([&] { return s->attached() != nullptr; }));
    s->on(s->attached(), [](client_channel& to) {
      to.close(channel_end::ended);
      return true;
    });
    if (order == 1)
      h.pool->stop();
    h.server.reset();
    h.set.reset();
  }
}
