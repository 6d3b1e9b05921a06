#include "persistence/memory_store.hpp"

#include <algorithm>
#include <utility>

#include "persistence/batch.hpp"
#include "persistence/record_bytes.hpp"

namespace cafmcp::persistence {

namespace {

constexpr std::size_t max_scan = 10'000;

}  // namespace

// What a batch takes of the store's bounds: given back unless it is kept.
class memory_store::reservation {
 public:
  explicit reservation(memory_store& store) : store_(store) {}
  reservation(const reservation&) = delete;
  reservation& operator=(const reservation&) = delete;

  ~reservation() {
    store_.bytes_.fetch_sub(bytes_, std::memory_order_relaxed);
    if (session_)
      store_.size_.fetch_sub(1, std::memory_order_relaxed);
  }

  // A batch that has grown by `growth` so far, in all, wants to go on.
  result<void> grow(std::int64_t growth) {
    if (growth <= static_cast<std::int64_t>(bytes_))
      return {};
    const auto more = static_cast<std::uint64_t>(growth) - bytes_;
    const auto before = store_.bytes_.fetch_add(more, std::memory_order_relaxed);
    bytes_ += more;
    if (before + more > store_.max_bytes_)
      return fail(errc::overloaded, "the store is full: " + std::to_string(store_.max_bytes_) +
                                        " bytes; end sessions or raise the bound");
    return {};
  }

  result<void> add_session() {
    session_ = true;
    if (store_.size_.fetch_add(1, std::memory_order_relaxed) >= store_.max_sessions_)
      return fail(errc::overloaded, "the store is full: " + std::to_string(store_.max_sessions_) +
                                        " sessions; end some or raise the bound");
    return {};
  }

  // The batch is done: the record has changed from `before` to `after` bytes, and perhaps ended.
  void keep(std::uint64_t before, std::uint64_t after, bool ended) {
    store_.bytes_.fetch_add(after - before, std::memory_order_relaxed);  // may wrap: unsigned
    session_ = ended;
  }

 private:
  memory_store& store_;
  std::uint64_t bytes_ = 0;
  bool session_ = false;
};

memory_store::memory_store(std::uint64_t max_sessions, std::uint64_t max_bytes)
    : max_sessions_(max_sessions), max_bytes_(max_bytes) {}

void memory_store::get(std::string_view session, callback<session_record> then) {
  auto found = [&]() -> result<session_record> {
    auto& b = buckets_[bucket_of(session)];
    const std::lock_guard lock{b.mutex};
    if (const auto i = b.sessions.find(session); i != b.sessions.end())
      return i->second->record;
    return fail(errc::not_found, "no such session");
  }();
  then(std::move(found));
}

void memory_store::apply(std::vector<operation> operations, callback<void> then) {
  then(change(operations));
}

result<void> memory_store::change(const std::vector<operation>& operations) {
  if (auto fine = check_batch(operations); !fine)
    return fine;
  const auto& session = operations.front().session;
  auto& b = buckets_[operations.front().bucket];
  const std::lock_guard lock{b.mutex};
  if (const auto i = b.sessions.find(session); i != b.sessions.end())
    return carry_out(*i->second, operations);
  auto fresh = std::make_unique<stored>();
  auto done = carry_out(*fresh, operations);
  if (done) {
    const std::string_view key = fresh->record.id;
    b.sessions.emplace(key, std::move(fresh));
  }
  return done;
}

result<void> memory_store::carry_out(stored& s, const std::vector<operation>& operations) {
  batch_undo kept{s.record};
  reservation room{*this};
  const bool ends = operations.back().kind == op_kind::end;
  std::int64_t growth = 0;
  for (const auto& op : operations) {
    growth += growth_of(s.record, op);
    result<void> done;
    if (op.kind == op_kind::create && s.record.seq == 0)
      done = room.add_session();
    // Whatever comes before its end, a session that ends takes less afterwards.
    if (done && !ends)
      done = room.grow(growth);
    // Nothing can fail after the last operation, and one that fails has changed nothing.
    if (done && &op != &operations.back())
      kept.before(op);
    if (done)
      done = persistence::apply(s.record, op);
    if (!done) {
      kept.undo();
      return done;
    }
  }
  const auto before = std::exchange(s.bytes, s.bytes + static_cast<std::uint64_t>(growth));
  room.keep(before, s.bytes, ends);
  return {};
}

void memory_store::scan(std::uint32_t number, std::string_view after, std::size_t limit,
                        callback<std::vector<session_summary>> then) {
  if (number >= bucket_count)
    return then(fail(errc::invalid, "there is no bucket " + std::to_string(number)));
  limit = std::clamp<std::size_t>(limit, 1, max_scan);
  std::vector<session_summary> found;
  {
    auto& b = buckets_[number];
    const std::lock_guard lock{b.mutex};
    for (auto i = b.sessions.upper_bound(after); i != b.sessions.end() && found.size() < limit; ++i)
      if (!i->second->record.ended)
        found.push_back(summary_of(i->second->record, i->second->bytes));
  }
  then(std::move(found));
}

void memory_store::expire(std::uint32_t number, std::int64_t before_ms, std::size_t limit,
                          callback<std::vector<idle_session>> then) {
  if (number >= bucket_count)
    return then(fail(errc::invalid, "there is no bucket " + std::to_string(number)));
  limit = std::clamp<std::size_t>(limit, 1, max_scan);
  std::vector<idle_session> found;
  {
    auto& b = buckets_[number];
    const std::lock_guard lock{b.mutex};
    for (auto i = b.sessions.begin(); i != b.sessions.end();) {
      const auto& s = *i->second;
      const bool old = s.record.last_active_ms < before_ms;
      if (old && s.record.ended) {
        bytes_.fetch_sub(s.bytes, std::memory_order_relaxed);
        i = b.sessions.erase(i);
        continue;
      }
      if (old && found.size() < limit)
        found.push_back({s.record.id, s.record.epoch, s.record.seq, s.record.last_active_ms});
      ++i;
    }
  }
  then(std::move(found));
}

}  // namespace cafmcp::persistence
