#include "actors/session_entry.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <utility>

namespace cafmcp::actors {

std::string handle_of(std::string_view session_id) {
  constexpr char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  ::EVP_Digest(session_id.data(), session_id.size(), hash.data(), &size, ::EVP_sha256(), nullptr);
  std::string out = "s-";
  for (std::size_t i = 0; i < 10; ++i)
    out += digits[hash[i] % 32];
  return out;
}

session_entry::session_entry(std::string session_id, std::string owner)
    : id(std::move(session_id)), principal(std::move(owner)), handle(handle_of(id)) {}

caf::actor session_entry::actor() const {
  const std::lock_guard lock{mutex_};
  return actor_;
}

void session_entry::actor_started(const caf::actor& who) {
  const std::lock_guard lock{mutex_};
  if (who.id() > last_ended_)
    actor_ = who;
}

void session_entry::actor_ended(caf::actor_id who) {
  caf::actor forgotten;  // its last reference may go here, not under the lock
  const std::lock_guard lock{mutex_};
  last_ended_ = std::max(last_ended_, who);
  if (actor_ && actor_.id() <= who)
    actor_.swap(forgotten);
}

void session_entry::crashed(std::int64_t now_ms) {
  restarts.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock{mutex_};
  if (crashes_.size() > max_crashes)
    crashes_.erase(crashes_.begin());
  crashes_.push_back(now_ms);
}

bool session_entry::crashes_too_often(std::int64_t now_ms) const {
  const std::lock_guard lock{mutex_};
  return crashes_.size() > max_crashes && now_ms - crashes_.front() <= crash_period_ms;
}

void session_entry::remember(std::int64_t now_ms, std::string what) {
  const std::lock_guard lock{mutex_};
  if (history_.size() == max_history)
    history_.erase(history_.begin() + 1);
  history_.push_back({now_ms, std::move(what)});
}

std::vector<session_event> session_entry::history() const {
  const std::lock_guard lock{mutex_};
  return history_;
}

}  // namespace cafmcp::actors
