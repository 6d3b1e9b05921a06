#pragma once
// What tests of coordinators have in common: a context that runs until something is true, calls that wait for
// their answer and check that it comes once and later, and a watch that writes down and checks what it is
// told. Included behind CAF's test headers. Not thread-safe.

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "cluster/core/coordinator.hpp"

namespace cafmcp::cluster::test {

using std::literals::chrono_literals::operator""ms;
using std::literals::chrono_literals::operator""s;
using clock = std::chrono::steady_clock;
using milliseconds = std::chrono::milliseconds;

/// A context with a thread that is the test's.
struct loop {
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard =
      boost::asio::make_work_guard(io);

  /// Runs until `done()`; false if that takes longer than `limit`.
  template <class F>
  bool until(F done, milliseconds limit = 20s) {
    for (const auto end = clock::now() + limit; !done();)
      if (clock::now() < end)
        io.run_one_for(5ms);
      else
        return false;
    return true;
  }

  /// Runs what is ready.
  void settle() {
    while (io.poll() > 0) {
    }
  }

  /// Runs for a while, where nothing should happen, or something for so long.
  void pass(milliseconds time) {
    until([end = clock::now() + time] { return clock::now() >= end; }, time + 1s);
  }
};

inline change put(std::string key, std::string value) {
  return {change::kind::put, std::move(key), std::move(value)};
}

inline change erase(std::string key) {
  return {change::kind::erase, std::move(key)};
}

/// Asks and waits.
class asker {
 public:
  asker(loop& l, coordinator& c) : loop_(l), c_(c) {}

  result<snapshot> read(const std::string& prefix, milliseconds deadline = 10s) {
    return ask<result<snapshot>>(deadline, [&](auto then) { c_.read(prefix, deadline, then); })
        .value_or(fail(errc::internal, "no answer"));
  }
  transaction_result commit(const transaction& t, milliseconds deadline = 10s) {
    return ask<transaction_result>(deadline, [&](auto then) { c_.commit(t, deadline, then); }).value();
  }

  /// One fact; nothing if there is none, or no answer.
  std::optional<fact> get(const std::string& key) {
    const auto all = read(key);
    if (all)
      for (const auto& f : all->facts)
        if (f.key == key)
          return f;
    return std::nullopt;
  }

  /// How long the last answer took.
  milliseconds took() const { return took_; }

 private:
  template <class T, class F>
  std::optional<T> ask(milliseconds deadline, F call) {
    const auto answer = std::make_shared<std::optional<T>>();
    const auto begin = clock::now();
    call([answer](T t) {
      if (answer->has_value())
        CAF_ERROR("a second answer");
      *answer = std::move(t);
    });
    if (answer->has_value())
      CAF_ERROR("an answer within the call");
    if (!loop_.until([&] { return answer->has_value(); }, deadline + 3s))
      CAF_FAIL("no answer in time");
    took_ = std::chrono::duration_cast<milliseconds>(clock::now() - begin);
    return *answer;
  }

  loop& loop_;
  coordinator& c_;
  milliseconds took_{};
};

/// What a watch has told.
class recorder {
 public:
  recorder(coordinator& c, const std::string& prefix) {
    handle = c.watch(prefix, {[this](snapshot s) { on_snapshot(std::move(s)); },
                              [this](std::vector<fact_event> e) { on_events(std::move(e)); },
                              [this](bool there) { contacts.push_back(there); }});
    CAF_CHECK_EQUAL(snapshots, 0);
  }

  bool contact() const { return !contacts.empty() && contacts.back(); }

  /// The values that `key` has had since the last snapshot.
  std::vector<std::string> values_of(const std::string& key) const {
    std::vector<std::string> out;
    for (const auto& e : events)
      if (e.what.key == key)
        out.push_back(e.erased ? "-" : e.what.value);
    return out;
  }

  bool may_be_another = false;  ///< a coordinator with another history
  std::shared_ptr<void> handle;
  fact_mirror mirror;
  snapshot first;
  int snapshots = 0;
  std::vector<fact_event> events;  // since the last snapshot
  std::vector<bool> contacts;

 private:
  void on_snapshot(snapshot s) {
    CAF_CHECK(may_be_another || s.at >= mirror.at());
    if (snapshots++ == 0)
      first = s;
    events.clear();
    mirror.reset(std::move(s));
  }

  // Whole revisions in order, none twice.
  void on_events(std::vector<fact_event> batch) {
    CAF_CHECK(snapshots > 0);
    CAF_REQUIRE(!batch.empty());
    CAF_CHECK(batch.front().what.modified > mirror.at());
    for (std::size_t i = 1; i < batch.size(); ++i)
      CAF_CHECK(batch[i].what.modified >= batch[i - 1].what.modified);
    mirror.apply(batch);
    events.insert(events.end(), batch.begin(), batch.end());
  }
};

}  // namespace cafmcp::cluster::test
