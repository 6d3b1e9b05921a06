#include <charconv>

#include "actors/session.hpp"
#include "base/assert.hpp"
#include "base/log.hpp"

namespace cafmcp::actors {

using persistence::op_kind;

namespace {

// Runs a callback of a handler's: what it throws is its own fault and nobody else's.
template <class F, class T>
void call_back(const F& then, T&& outcome) noexcept {
  try {
    if (then)
      then(std::forward<T>(outcome));
  } catch (const std::exception& e) {
    log::get("actors").error("a callback of a handler threw", {{"exception", log::printable(e.what())}});
  } catch (...) {
    log::get("actors").error("a callback of a handler threw");
  }
}

std::optional<std::int64_t> integer_in(std::string_view raw) noexcept {
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (failed != std::errc() || end != raw.data() + raw.size())
    return std::nullopt;
  return value;
}

}  // namespace

result<void> session::stage(op_kind kind, std::string bytes) {
  persistence::operation op{
      persistence::bucket_of(entry_->id), record_.epoch, record_.seq + 1, entry_->id, kind, std::move(bytes)};
  if (auto applied = persistence::apply(record_, op); !applied)
    return applied;
  staged_.push_back(std::move(op));
  return {};
}

// Stores what this turn has staged, then calls `then`: at once if the store is done at once.
void session::commit(std::function<void(const result<void>&)> then) {
  if (staged_.empty()) {
    if (then)
      then({});
    return;
  }
  struct handover {
    std::mutex mutex;
    bool waiting = false;
    std::optional<result<void>> outcome;
  };
  const auto shared = std::make_shared<handover>();
  const auto number = ++last_commit_;
  env_->store->apply(std::exchange(staged_, {}),
                     [shared, number, self = caf::actor_addr{address()}](const result<void>& outcome) {
                       {
                         const std::lock_guard lock{shared->mutex};
                         shared->outcome = outcome;
                         if (!shared->waiting)
                           return;
                       }
                       otp::tell(self, session_stored{number, outcome});
                     });
  {
    const std::lock_guard lock{shared->mutex};
    shared->waiting = !shared->outcome;
  }
  if (shared->waiting) {
    commits_.emplace(number, std::move(then));
    return;
  }
  note_stored(*shared->outcome);
  if (then)
    then(*shared->outcome);
}

void session::stored(std::uint64_t number, const result<void>& outcome) {
  const auto i = commits_.find(number);
  CAFMCP_ASSERT(i != commits_.end());
  const auto then = std::move(i->second);
  commits_.erase(i);
  note_stored(outcome);
  if (then)
    then(outcome);
}

// After a failure the record here is ahead of the store: this actor ends, and the next one reads what is
// stored.
void session::note_stored(const result<void>& outcome) {
  if (outcome) {
    entry_->unborn = false;
    return;
  }
  log::get("actors").error("a session's operations could not be stored",
                           {{"session", entry_->handle}, {"reason", outcome.error().message}});
  store_failed_ = true;
  quit(otp::make_exit(otp::exit_code::crashed, "the store refused: " + outcome.error().message));
}

void session::state_get(request_event::get& what) {
  const auto i = record_.user.find(what.key);
  std::optional<std::string> value;
  if (i != record_.user.end())
    value = i->second;
  call_back(what.then, result<std::optional<std::string>>{std::move(value)});
}

void session::state_put(request_event::put& what) {
  const auto applied = what.value ? stage(op_kind::put, persistence::put_bytes(what.key, *what.value))
                                  : stage(op_kind::remove, persistence::remove_bytes(what.key));
  if (!applied)
    return call_back(what.then, applied);
  commit([then = std::move(what.then)](const result<void>& outcome) { call_back(then, outcome); });
}

void session::state_increment(request_event::increment& what) {
  using answer_type = result<std::int64_t>;
  const auto i = record_.user.find(what.key);
  const auto before = i == record_.user.end() ? std::optional<std::int64_t>{0} : integer_in(i->second);
  std::int64_t after = 0;
  if (!before || __builtin_add_overflow(*before, what.by, &after))
    return call_back(what.then,
                     answer_type{fail(errc::invalid, "the value of '" + what.key +
                                                         "' is not an integer that can be added to")});
  if (auto applied = stage(op_kind::put, persistence::put_bytes(what.key, std::to_string(after))); !applied)
    return call_back(what.then, answer_type{applied.error()});
  commit([after, then = std::move(what.then)](const result<void>& outcome) {
    call_back(then, outcome ? answer_type{after} : answer_type{outcome.error()});
  });
}

void session::state_keys(request_event::keys& what) {
  std::vector<std::string> keys;
  keys.reserve(record_.user.size());
  for (const auto& [key, value] : record_.user)
    keys.push_back(key);
  call_back(what.then, result<std::vector<std::string>>{std::move(keys)});
}

}  // namespace cafmcp::actors
