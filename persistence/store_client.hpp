#pragma once
// For tests of stores: a store's answers as values, waited for with a deadline; and the small things that
// such tests are made of. A client may be used by one thread at a time, several clients share a store.

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "persistence/session_store.hpp"

namespace cafmcp::persistence::testing {

/// How long an answer may take before a test gives up.
inline constexpr std::chrono::seconds patience{30};

/// An answer that will come.
template <class T>
class pending {
 public:
  session_store::callback<T> callback() const {
    return [promise = promise_](result<T> r) { promise->set_value(std::move(r)); };
  }
  bool there() const { return future_.wait_for(std::chrono::seconds{0}) == std::future_status::ready; }
  /// Throws after `patience`.
  result<T> wait() {
    if (future_.wait_for(patience) != std::future_status::ready)
      throw std::runtime_error("a store did not answer in time");
    return future_.get();
  }

 private:
  std::shared_ptr<std::promise<result<T>>> promise_ = std::make_shared<std::promise<result<T>>>();
  std::future<result<T>> future_ = promise_->get_future();
};

inline operation make(const std::string& session, std::uint64_t seq, op_kind kind, std::string bytes) {
  return {bucket_of(session), 1, seq, session, kind, std::move(bytes)};
}

/// Sorted ids of sessions that are all in one bucket.
inline std::vector<std::string> ids_in(std::uint32_t bucket, std::size_t count) {
  std::vector<std::string> ids;
  for (int i = 0; ids.size() < count; ++i)
    if (auto id = "session-" + std::to_string(i); bucket_of(id) == bucket)
      ids.push_back(std::move(id));
  std::sort(ids.begin(), ids.end());
  return ids;
}

/// See above.
struct client {
  explicit client(session_store& s) : store(s) {}

  result<session_record> get(const std::string& id) {
    pending<session_record> p;
    store.get(id, p.callback());
    return p.wait();
  }
  pending<void> start(std::vector<operation> ops) {
    pending<void> p;
    store.apply(std::move(ops), p.callback());
    return p;
  }
  result<void> apply(std::vector<operation> ops) { return start(std::move(ops)).wait(); }
  result<void> apply(const std::string& id, std::uint64_t seq, op_kind kind, std::string bytes) {
    return apply({make(id, seq, kind, std::move(bytes))});
  }
  result<void> create(const std::string& id, std::int64_t now_ms = 1000) {
    return apply(id, 1, op_kind::create, create_bytes("alice", now_ms));
  }
  result<std::vector<session_summary>> summaries(std::uint32_t bucket, const std::string& after,
                                                 std::size_t limit) {
    pending<std::vector<session_summary>> p;
    store.scan(bucket, after, limit, p.callback());
    return p.wait();
  }
  std::vector<std::string> scan(std::uint32_t bucket, const std::string& after, std::size_t limit) {
    std::vector<std::string> ids;
    for (auto& s : summaries(bucket, after, limit).value())
      ids.push_back(std::move(s.id));
    return ids;
  }
  result<std::vector<idle_session>> idle(std::uint32_t bucket, std::int64_t before_ms, std::size_t limit) {
    pending<std::vector<idle_session>> p;
    store.expire(bucket, before_ms, limit, p.callback());
    return p.wait();
  }
  /// Their ids, sorted.
  std::vector<std::string> expire(std::uint32_t bucket, std::int64_t before_ms, std::size_t limit = 100) {
    std::vector<std::string> ids;
    for (auto& s : idle(bucket, before_ms, limit).value())
      ids.push_back(std::move(s.id));
    std::sort(ids.begin(), ids.end());
    return ids;
  }
  /// The ids of all sessions of a bucket, page by page, sorted.
  std::vector<std::string> scan_all(std::uint32_t bucket, std::size_t page) {
    std::vector<std::string> ids;
    for (std::string after;;) {
      const auto some = scan(bucket, after, page);
      ids.insert(ids.end(), some.begin(), some.end());
      if (some.size() < page)
        break;
      after = some.back();
    }
    std::sort(ids.begin(), ids.end());
    return ids;
  }

  session_store& store;
};

}  // namespace cafmcp::persistence::testing
