#include "actors/session_router.hpp"

#include <openssl/rand.h>

#include <array>

#include "base/assert.hpp"
#include "persistence/operation.hpp"

namespace cafmcp::actors {

session_router::session_router(otp::io_pool& pool, std::shared_ptr<session_directory> directory)
    : pool_(pool), directory_(std::move(directory)), slots_(pool.size()) {}

std::size_t session_router::shard_of(std::string_view session_id) const noexcept {
  return persistence::bucket_of(session_id) % slots_.size();
}

caf::actor session_router::shard(std::size_t index) const {
  const std::lock_guard lock{slots_[index].mutex};
  return slots_[index].actor;
}

void session_router::take_slot(std::size_t index, const caf::actor& who) {
  const std::lock_guard lock{slots_[index].mutex};
  slots_[index].actor = who;
}

void session_router::leave_slot(std::size_t index, caf::actor_id who) {
  const std::lock_guard lock{slots_[index].mutex};
  if (slots_[index].actor && slots_[index].actor.id() == who)
    slots_[index].actor = nullptr;
}

std::string session_router::make_id(std::size_t where) const {
  constexpr char digits[] = "0123456789abcdef";
  for (;;) {
    std::array<unsigned char, 16> random{};
    // It fails only when the operating system has no randomness to give: nothing safe can be done then.
    CAFMCP_ASSERT(::RAND_bytes(random.data(), static_cast<int>(random.size())) == 1);
    std::string id;
    id.reserve(2 * random.size());
    for (const auto byte : random) {
      id += digits[byte >> 4];
      id += digits[byte & 15];
    }
    if (where >= slots_.size() || shard_of(id) == where)
      return id;
  }
}

void session_router::submit(session_input input, const entry_ptr& entry) {
  if (const auto to = entry->actor())
    caf::anon_send(to, session_mail{std::move(input), entry, shared_from_this()});
  else
    reroute(std::move(input), entry);
}

void session_router::reroute(session_input input, const entry_ptr& entry) {
  input.rerouted = true;
  const auto to = shard(shard_of(entry->id));
  if (!to)
    return refuse(shared_from_this(), std::move(input), entry,
                  fail(errc::unavailable, "the session is restarting; try again"));
  caf::anon_send(to, rerouted_mail{entry->id, session_mail{std::move(input), entry, shared_from_this()}});
}

}  // namespace cafmcp::actors
