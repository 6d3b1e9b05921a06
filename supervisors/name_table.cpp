#include "supervisors/name_table.hpp"

#include <mutex>

#include "supervisors/base_actor.hpp"

namespace cafmcp::otp {

namespace {

// Its supervisor may not have heard of it yet.
bool has_ended(const caf::actor& who) {
  const auto* actor = dynamic_cast<const base_actor*>(caf::actor_cast<caf::abstract_actor*>(who));
  return actor != nullptr && actor->has_ended();
}

}  // namespace

result<caf::actor> name_table::lookup(std::string_view name) const {
  const std::shared_lock lock{mutex_};
  const auto i = entries_.find(name);
  if (i == entries_.end())
    return fail(errc::not_found, "no actor is called \"" + std::string{name} + "\"");
  if (!i->second.actor || has_ended(i->second.actor))
    return fail(errc::unavailable, "\"" + std::string{name} + "\" is being restarted; try again");
  return i->second.actor;
}

std::optional<caf::actor> name_table::take(const std::string& name, owner who, const std::string& path) {
  const std::unique_lock lock{mutex_};
  const auto [i, fresh] = entries_.try_emplace(name, entry{who, path, nullptr});
  if (fresh || i->second.who == who)
    return std::nullopt;
  if (i->second.path != path)
    return i->second.actor;
  i->second.who = who;
  i->second.actor = nullptr;
  return std::nullopt;
}

void name_table::bind(const std::string& name, owner who, const caf::actor& actor) {
  const std::unique_lock lock{mutex_};
  if (const auto i = entries_.find(name); i != entries_.end() && i->second.who == who)
    i->second.actor = actor;
}

void name_table::release(const std::string& name, owner who) {
  const std::unique_lock lock{mutex_};
  if (const auto i = entries_.find(name); i != entries_.end() && i->second.who == who)
    entries_.erase(i);
}

}  // namespace cafmcp::otp
