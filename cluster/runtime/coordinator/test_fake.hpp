#pragma once
// Somebody who listens where etcd should be and says what a test wants: anything at all. Lives on the test's
// context; not thread-safe.

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cafmcp::cluster::test {

/// What it was asked, and what it says.
struct fake_request {
  std::string path;
  std::string head;
  std::string body;
};
struct fake_answer {
  std::string bytes;
  bool then_close = false;
};

/// JSON as the gateway answers.
inline fake_answer as_json(const std::string& body, const std::string& status = "200 OK") {
  return {"HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\nContent-Length: " +
          std::to_string(body.size()) + "\r\n\r\n" + body};
}

/// The beginning of a stream, and a part of it.
inline std::string as_chunk(const std::string& body) {
  std::array<char, 20> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", body.size());
  return size.data() + body + "\r\n";
}
inline fake_answer as_stream(const std::string& body) {
  return {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + as_chunk(body)};
}

/// The listener. `on_request` says what to answer; connections stay, unless the answer says otherwise.
class fake_etcd {
 public:
  using tcp = boost::asio::ip::tcp;

  fake_etcd(boost::asio::io_context& io, std::function<fake_answer(const fake_request&)> on_request)
      : on_request_(std::move(on_request)), acceptor_(io, {boost::asio::ip::address_v4::loopback(), 0}) {
    accept();
  }
  ~fake_etcd() {
    acceptor_.close();
    cut();
  }
  fake_etcd(const fake_etcd&) = delete;
  fake_etcd& operator=(const fake_etcd&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }

  /// Says more on all connections that asked for a watch.
  void say_on_streams(const std::string& bytes) {
    for (const auto& weak : all_)
      if (const auto to = weak.lock(); to && to->stream)
        to->write({bytes});
  }

  void cut() {
    for (const auto& weak : all_)
      if (const auto to = weak.lock())
        to->socket.close();
    all_.clear();
  }

  std::size_t connections = 0;
  std::vector<fake_request> asked;

 private:
  struct one : std::enable_shared_from_this<one> {
    one(fake_etcd& o, tcp::socket s) : owner(o), socket(std::move(s)) {}

    void read() {
      socket.async_read_some(boost::asio::buffer(buffer),
                             [me = shared_from_this()](boost::system::error_code ec, std::size_t n) {
                               if (ec)
                                 return;
                               me->in.append(me->buffer.data(), n);
                               me->take();
                               me->read();
                             });
    }

    void take() {
      const auto end = in.find("\r\n\r\n");
      const auto length = in.find("Content-Length: ");
      if (end == std::string::npos || length == std::string::npos)
        return;
      const auto size = std::stoul(in.substr(length + 16));
      if (in.size() < end + 4 + size)
        return;
      fake_request r{in.substr(5, in.find(' ', 5) - 5), in.substr(0, end), in.substr(end + 4, size)};
      in.erase(0, end + 4 + size);
      stream = r.path == "/v3/watch";
      owner.asked.push_back(r);
      write(owner.on_request_(r));
    }

    void write(fake_answer answer) {
      const auto out = std::make_shared<std::string>(std::move(answer.bytes));
      boost::asio::async_write(socket, boost::asio::buffer(*out),
                               [me = shared_from_this(), out, close = answer.then_close](
                                   boost::system::error_code ec, std::size_t) {
                                 if (ec || close)
                                   me->socket.close();
                               });
    }

    fake_etcd& owner;
    tcp::socket socket;
    std::array<char, 16384> buffer{};
    std::string in;
    bool stream = false;
  };

  void accept() {
    acceptor_.async_accept([this](boost::system::error_code ec, tcp::socket socket) {
      if (ec)
        return;
      ++connections;
      const auto made = std::make_shared<one>(*this, std::move(socket));
      all_.push_back(made);
      made->read();
      accept();
    });
  }

  const std::function<fake_answer(const fake_request&)> on_request_;
  tcp::acceptor acceptor_;
  std::vector<std::weak_ptr<one>> all_;
};

}  // namespace cafmcp::cluster::test
