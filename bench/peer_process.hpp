#pragma once
// The other process of a benchmark: this program again, with other flags, which says in one line of its
// standard output that it is ready. It dies with the thread that started it, however that ends. And what
// memory this process takes. For the main thread.

#include <sys/types.h>

#include <string>
#include <vector>

namespace cafmcp::bench {

/// The process.
class peer_process {
 public:
  /// Starts it, and waits for its line.
  explicit peer_process(const std::vector<std::string>& flags);
  peer_process(const peer_process&) = delete;
  peer_process& operator=(const peer_process&) = delete;
  ~peer_process();

  /// What it has said: numbers, such as ports.
  const std::vector<int>& said() const noexcept { return said_; }

  /// It stands still from now on.
  void freeze() const;

 private:
  pid_t pid_ = -1;
  std::vector<int> said_;
};

/// In the other process: says that line, and waits for the end.
[[noreturn]] void serve_as_peer(const std::vector<int>& said);

/// Bytes of this process in memory now, and at most since `forget_peak()`.
std::size_t resident();
std::size_t peak_resident();
void forget_peak();

/// Waits until the memory of this process has not grown for half a second; at most half a minute.
void wait_until_settled();

}  // namespace cafmcp::bench
