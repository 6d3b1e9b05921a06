#pragma once
// One thread of the load generator: an `io_context`, its share of the connections, what they counted. Each
// connection is a coroutine that connects, hands the socket to the exchange of the plan's mode, and connects
// again when that ends. An exchange is a closed loop: the next request goes out when an answer has come. A
// further mode is one more exchange. All members but the constructor belong to the thread in `run`.

#include <string_view>

#include "bench/plan.hpp"
#include "bench/stats.hpp"

namespace cafmcp::bench {

class worker {
 public:
  /// Connections `first` … `first + count - 1` of the plan's; counts from `begin` to `end`, and ends then.
  worker(const plan& p, unsigned first, unsigned count, steady_clock::time_point begin,
         steady_clock::time_point end);

  /// Runs until `end`.
  void run();

  const stats& counted() const { return stats_; }

  // For exchanges.
  const plan& the_plan() const { return plan_; }
  asio::io_context& context() { return context_; }

  /// A request sent at `sent` was answered at `now`. Inline: called some hundred thousand times a second.
  void answered(steady_clock::time_point sent, steady_clock::time_point now, std::size_t bytes_sent,
                std::size_t bytes_received) {
    if (now < begin_ || now >= end_)
      return;
    stats_.latency.record(static_cast<std::uint64_t>(std::chrono::nanoseconds{now - sent}.count()));
    stats_.bytes_sent += bytes_sent;
    stats_.bytes_received += bytes_received;
  }

  /// A request or connection failed; `why` for a person. `status` with `failure::status` only.
  void failed(failure kind, std::string_view why, int status = 0);

 private:
  task<void> keep_connected(unsigned index);
  task<error_code> open(tcp_socket& socket, unsigned index);
  void start_next();

  const plan& plan_;
  unsigned next_;
  unsigned last_;
  steady_clock::time_point begin_;
  steady_clock::time_point end_;
  stats stats_;
  asio::io_context context_{1};  // last: its pending coroutines refer to the members above
};

/// Exchanges: use `socket` until it breaks or the peer closes it; true when at least one request was
/// answered.
task<bool> exchange_http(worker& w, tcp_socket socket);
task<bool> exchange_ws_echo(worker& w, tcp_socket socket);

/// Runs `p`, which is complete, on its threads (this one included) and returns what all counted. Errors:
/// `invalid` when the limit of open files is too low, `unavailable` when nobody listens.
result<stats> run_load(const plan& p);

}  // namespace cafmcp::bench
