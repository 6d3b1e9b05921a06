#pragma once
// Names that survive restarts. A supervisor binds the name of a named child to each of its incarnations;
// whoever looks the name up between death and restart is told `restarting` (ask again), and `noproc` if there
// is no such child or it is gone for good, so nothing is ever sent to a dead actor unknowingly. One table for
// each runtime; thread-safe.

#include <caf/actor.hpp>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.hpp"

namespace cafmcp::otp {

/// The table.
class name_table {
 public:
  /// The actor of that name. Errors: `unavailable` while it restarts, `not_found` if nobody has the name.
  result<caf::actor> lookup(std::string_view name) const;

  /// Gives `name` to `who`. Returns false if a living actor has it.
  bool bind(const std::string& name, const caf::actor& who);

  /// The one who has the name is being restarted.
  void suspend(const std::string& name);

  /// Nobody has the name any more.
  void release(const std::string& name);

 private:
  struct hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, caf::actor, hash, std::equal_to<>> actors_;  // null: restarting
};

}  // namespace cafmcp::otp
