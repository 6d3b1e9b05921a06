#pragma once
// A network between a test and one member of etcd that does what it is told: cuts connections, refuses new
// ones, or goes silent on streams alone while all else works. Lives on the test's context; not thread-safe.

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace cafmcp::cluster::test {

/// One port that leads to another.
class test_proxy {
 public:
  using tcp = boost::asio::ip::tcp;

  test_proxy(boost::asio::io_context& io, std::uint16_t target)
      : io_(io), target_(boost::asio::ip::address_v4::loopback(), target) {
    open();
    port_ = acceptor_->local_endpoint().port();
  }
  test_proxy(const test_proxy&) = delete;
  test_proxy& operator=(const test_proxy&) = delete;
  ~test_proxy() {
    refuse();
    cut();
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  /// Ends all connections.
  void cut() {
    for (const auto& weak : pairs_)
      if (const auto p = weak.lock())
        p->close();
    pairs_.clear();
  }

  /// Nobody listens any more; until `open`.
  void refuse() { acceptor_.reset(); }

  void open() {
    acceptor_.emplace(io_, tcp::endpoint{boost::asio::ip::address_v4::loopback(), port_});
    accept();
  }

  /// Where connections to come lead.
  void lead_to(std::uint16_t target) { target_.port(target); }

  /// Streams that are open say nothing any more; those to come do.
  void silence_streams() {
    for (const auto& weak : pairs_)
      if (const auto p = weak.lock(); p && p->stream)
        p->silent = true;
  }

 private:
  struct pair : std::enable_shared_from_this<pair> {
    explicit pair(boost::asio::io_context& io) : client(io), server(io) {}

    void relay(tcp::socket& from, tcp::socket& to, std::array<char, 65536>& buffer) {
      from.async_read_some(boost::asio::buffer(buffer), [me = shared_from_this(), &from, &to, &buffer](
                                                            boost::system::error_code ec, std::size_t n) {
        if (ec)
          return me->close();
        if (&from == &me->client && std::string_view{buffer.data(), n}.starts_with("POST /v3/watch"))
          me->stream = true;
        if (&from == &me->server && me->silent)
          return me->relay(from, to, buffer);
        boost::asio::async_write(to, boost::asio::buffer(buffer, n),
                                 [me, &from, &to, &buffer](boost::system::error_code failed, std::size_t) {
                                   failed ? me->close() : me->relay(from, to, buffer);
                                 });
      });
    }

    void close() {
      boost::system::error_code ignored;
      client.close(ignored);
      server.close(ignored);
    }

    tcp::socket client;
    tcp::socket server;
    std::array<char, 65536> up{};
    std::array<char, 65536> down{};
    bool stream = false;
    bool silent = false;
  };

  void accept() {
    const auto p = std::make_shared<pair>(io_);
    acceptor_->async_accept(p->client, [this, p](boost::system::error_code ec) {
      if (ec)
        return;
      std::erase_if(pairs_, [](const auto& old) { return old.expired(); });
      pairs_.push_back(p);
      p->server.async_connect(target_, [p](boost::system::error_code failed) {
        if (failed)
          return p->close();
        p->relay(p->client, p->server, p->up);
        p->relay(p->server, p->client, p->down);
      });
      accept();
    });
  }

  boost::asio::io_context& io_;
  tcp::endpoint target_;
  std::uint16_t port_ = 0;
  std::optional<tcp::acceptor> acceptor_;
  std::vector<std::weak_ptr<pair>> pairs_;
};

}  // namespace cafmcp::cluster::test
