#pragma once
// A watch that never misses a change: a snapshot, then a stream of all that came after it. A stream that ends
// is begun again, at whatever member serves, behind the last revision that was told; one that begins too
// early, because etcd has forgotten, costs a new snapshot. A silent stream may be alive or not, so the member
// is asked regularly how many keys there are and which was changed last, by a read that it can't answer
// without a majority: contact is when that is what was told.
//
// It lives on the client's thread; the handler is called there, never within a call.

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "cluster/core/coordinator.hpp"
#include "cluster/runtime/coordinator/etcd_client.hpp"

namespace cafmcp::cluster {

/// One watch of one prefix.
class etcd_watch : public std::enable_shared_from_this<etcd_watch> {
 public:
  etcd_watch(std::shared_ptr<etcd_client> client, std::string prefix, watch_handler handler);
  etcd_watch(const etcd_watch&) = delete;
  etcd_watch& operator=(const etcd_watch&) = delete;

  /// Begins. Everything happens later.
  void start() { begin(); }

  /// Nothing is told any more.
  void stop();

 private:
  using clock = std::chrono::steady_clock;
  enum class blame : bool { nobody, member };

  void begin();
  void read_all();
  void find_member();
  void follow(std::size_t endpoint);
  void on_line(std::string_view line);
  void on_events(std::vector<fact_event> events);
  void probe();
  void on_probe(const etcd_reply& reply, revision told_before);
  bool same_history(const etcd_range& now, revision told_before);
  void on_lag();
  void begin_anew(const std::string& why);
  void lost(const std::string& why, blame whose);
  void hang_up();
  void say_contact(bool there);
  void wait(std::chrono::milliseconds time, std::function<void()> then);

  const std::shared_ptr<etcd_client> client_;
  const std::string prefix_;
  watch_handler handler_;
  boost::asio::steady_timer timer_;
  retry_delay back_off_;
  bool over_ = false;

  // What was told.
  std::optional<bool> contact_;
  bool needs_snapshot_ = true;
  revision told_ = 0;
  std::int64_t keys_ = 0;
  std::string cluster_;

  // Whom we listen to. What belongs to an earlier attempt says so by its number.
  std::uint64_t attempt_ = 0;
  std::size_t endpoint_ = 0;
  std::shared_ptr<etcd_connection> stream_;
  std::shared_ptr<etcd_connection> probe_;
  bool created_ = false;
  bool steady_ = false;  // it has been up to date once
  std::optional<clock::time_point> lags_since_;
  revision told_when_lagging_ = 0;
  unsigned lags_ = 0;  // in a row
};

}  // namespace cafmcp::cluster
