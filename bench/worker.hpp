#pragma once
// One thread of the load generator: an `io_context`, its share of the connections, what they counted. Each
// connection is a coroutine that connects, hands the socket to the exchange of the plan's mode, and connects
// again when that ends. An exchange is a closed loop: the next request goes out when an answer has come. A
// further mode is one more exchange. All members but the constructor belong to the thread in `run`.

#include <string_view>
#include <unordered_set>
#include <vector>

#include "bench/mcp_answer.hpp"
#include "bench/plan.hpp"
#include "bench/stats.hpp"
#include "bench/work_list.hpp"

namespace cafmcp::bench {

class worker;

/// What waits for answers on a connection, for the worker that ends what waits for too long. Registered while
/// it lives; of the worker's thread.
class waiter {
 public:
  explicit waiter(worker& w);
  waiter(const waiter&) = delete;
  waiter& operator=(const waiter&) = delete;

  /// Since when it has waited for the answer that it has waited for longest; `nothing_awaited` if for none.
  virtual steady_clock::time_point waiting_since() const = 0;
  static constexpr auto nothing_awaited = steady_clock::time_point::max();

  /// Ends the connection. The failure is counted already.
  virtual void give_up() = 0;

 protected:
  ~waiter();
  worker& worker_;
};

/// An MCP session over HTTP. It outlives its connections.
struct http_session {
  std::string fields;      ///< of its requests; empty when it is not open
  bool has_id = false;     ///< a server may do without
  bool announced = false;  ///< the server was told that it is open
};

/// Those of one connection, used in turn.
struct http_sessions {
  std::vector<http_session> all;
  std::size_t next = 0;
  std::uint64_t last_id = initialize_id;  ///< of the requests in all of them

  // With a work list: there is one session at a time.
  std::optional<std::uint64_t> piece;  ///< what was taken from the list and is not done
  steady_clock::time_point since;      ///< when its first request was sent
  std::string id;                      ///< of the session that is being opened
};

class worker {
 public:
  /// Connections `first` … `first + count - 1` of the plan's; counts from `begin` to `end`, and ends then.
  /// `work` is shared by all workers and outlives them.
  worker(const plan& p, work_list& work, unsigned first, unsigned count, steady_clock::time_point begin,
         steady_clock::time_point end);

  /// Runs until `end`, or until `stop`.
  void run();

  /// Ends `run`. Thread-safe, and allowed before `run`.
  void stop() { context_.stop(); }

  const stats& counted() const { return stats_; }

  // For exchanges.
  const plan& the_plan() const { return plan_; }
  asio::io_context& context() { return context_; }
  answer_reader& answers() { return answers_; }
  work_list& work() { return work_; }

  /// True once in two calls.
  bool alternate() { return alternate_ = !alternate_; }

  /// A request sent at `sent` was answered at `now`. Inline: called some hundred thousand times a second.
  void answered(steady_clock::time_point sent, steady_clock::time_point now, std::size_t bytes_sent,
                std::size_t bytes_received) {
    if (now < begin_ || now >= end_)
      return;
    stats_.latency.record(static_cast<std::uint64_t>(std::chrono::nanoseconds{now - sent}.count()));
    stats_.bytes_sent += bytes_sent;
    stats_.bytes_received += bytes_received;
  }

  /// An MCP session was opened.
  void opened_session();

  /// `initialize`, sent at `sent`, was answered at `now`.
  void answered_initialize(steady_clock::time_point sent, steady_clock::time_point now);

  /// The session with this id was opened and may be resumed by another run.
  void keep_id(std::string_view id) { stats_.ids.add(id); }

  /// A request or connection failed; `why` for a person. `status` with `failure::status` only.
  void failed(failure kind, std::string_view why, int status = 0);

 private:
  friend class waiter;

  task<void> keep_connected(unsigned index);
  task<bool> exchange(tcp_socket socket, http_sessions& sessions);
  task<void> end_what_waits();
  void count_unanswered();
  http_sessions sessions_of(unsigned index) const;
  task<error_code> open(tcp_socket& socket, unsigned index);
  void start_next();

  const plan& plan_;
  work_list& work_;
  unsigned next_;
  unsigned last_;
  steady_clock::time_point begin_;
  steady_clock::time_point end_;
  stats stats_;
  answer_reader answers_;
  bool alternate_ = false;
  std::unordered_set<waiter*> waiters_;
  asio::io_context context_{1};  // last: its pending coroutines refer to the members above
};

/// Exchanges: use `socket` until it breaks or the peer closes it; true when at least one request was
/// answered.
task<bool> exchange_http(worker& w, tcp_socket socket);
task<bool> exchange_ws_echo(worker& w, tcp_socket socket);
task<bool> exchange_mcp_http(worker& w, tcp_socket socket, http_sessions& sessions);
task<bool> exchange_mcp_ws(worker& w, tcp_socket socket);
task<bool> exchange_open(worker& w, tcp_socket socket, http_sessions& sessions);
task<bool> exchange_resume(worker& w, tcp_socket socket, http_sessions& sessions);

}  // namespace cafmcp::bench
