#include "supervisors/name_table.hpp"

#include <mutex>

namespace cafmcp::otp {

result<caf::actor> name_table::lookup(std::string_view name) const {
  const std::shared_lock lock{mutex_};
  const auto i = actors_.find(name);
  if (i == actors_.end())
    return fail(errc::not_found, "no actor is called \"" + std::string{name} + "\"");
  if (!i->second)
    return fail(errc::unavailable, "\"" + std::string{name} + "\" is being restarted; try again");
  return i->second;
}

bool name_table::bind(const std::string& name, const caf::actor& who) {
  const std::unique_lock lock{mutex_};
  auto& place = actors_[name];
  if (place && place != who)
    return false;
  place = who;
  return true;
}

void name_table::suspend(const std::string& name) {
  const std::unique_lock lock{mutex_};
  actors_[name] = nullptr;
}

void name_table::release(const std::string& name) {
  const std::unique_lock lock{mutex_};
  actors_.erase(name);
}

}  // namespace cafmcp::otp
