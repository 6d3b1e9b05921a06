#pragma once
// Names that survive restarts, as OTP's registered and `via` names. A name belongs to the child that has
// taken it, from before its start until it is over: whoever looks the name up in between is told
// `unavailable` (ask again), and `not_found` if nobody has it, so nothing is ever sent to a dead actor
// unknowingly. One table for each runtime; thread-safe.

#include <caf/actor.hpp>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.hpp"

namespace cafmcp::otp {

/// The table.
class name_table {
 public:
  /// Who takes a name: any address that is nobody else's.
  using owner = const void*;

  /// The actor of that name. Errors: `unavailable` while it starts or restarts, `not_found` if nobody has the
  /// name.
  result<caf::actor> lookup(std::string_view name) const;

  /// Takes a name for the child at `path`, before there is an actor. Nothing if it is the owner's now; else
  /// the actor that has it, or null if that is being restarted. From an earlier owner at the same path the
  /// name is taken away: that one is the rest of a branch that was killed.
  std::optional<caf::actor> take(const std::string& name, owner who, const std::string& path);

  /// The owner's actor is there, or (null) is not there at the moment. Ignored from others.
  void bind(const std::string& name, owner who, const caf::actor& actor);

  /// Nobody has the name any more. Ignored from others.
  void release(const std::string& name, owner who);

 private:
  struct hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  struct entry {
    owner who = nullptr;
    std::string path;
    caf::actor actor;  // null: not there at the moment
  };

  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, entry, hash, std::equal_to<>> entries_;
};

}  // namespace cafmcp::otp
