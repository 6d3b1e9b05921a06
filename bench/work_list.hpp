#pragma once
// The work of a run that ends when it is done and not after a time: so many sessions to open, or to resume.
// It is cut into pieces with numbers from 0 on, which the connections of all workers take one by one; a piece
// that came to nothing may be given back for another one to take. Thread-safe; nothing here blocks.

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

namespace cafmcp::bench {

class work_list {
 public:
  /// `finished` is called once, by the thread that does the last piece; never when there are none.
  work_list(std::uint64_t pieces, std::function<void()> finished)
      : pieces_(pieces), left_(pieces), finished_(std::move(finished)) {}

  /// A piece that nobody has; none when all are taken, though some may still be given back. Numbers are not
  /// repeated unless pieces are given back.
  std::optional<std::uint64_t> take() noexcept {
    std::uint64_t left = left_.load();
    do
      if (left == 0)
        return std::nullopt;
    while (!left_.compare_exchange_weak(left, left - 1));
    return pieces_ - left;
  }

  /// A piece that was taken is to be done by somebody else.
  void give_back() noexcept { ++left_; }

  /// A piece that was taken needs no more work.
  void done() {
    if (++done_ == pieces_)
      finished_();
  }

  /// A request of a piece was refused for now, and is sent again.
  void again() noexcept { ++again_; }

  std::uint64_t pieces() const noexcept { return pieces_; }
  std::uint64_t pieces_done() const noexcept { return done_; }
  std::uint64_t times_again() const noexcept { return again_; }

 private:
  const std::uint64_t pieces_;
  std::atomic<std::uint64_t> left_;
  std::atomic<std::uint64_t> done_{0};
  std::atomic<std::uint64_t> again_{0};
  std::function<void()> finished_;
};

}  // namespace cafmcp::bench
