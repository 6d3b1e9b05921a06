#pragma once
// What the handles of a call share: the request, its parsed arguments, and what was called. It turns answers
// into bytes, and sees to it that there is one. Not for users. Thread-safe.

#include <memory>
#include <string>
#include <string_view>

#include "actors/request.hpp"
#include "sdk/argument_check.hpp"
#include "sdk/handler.hpp"

namespace cafmcp::sdk::detail {

/// What an answer needs to know of what was called. Immutable.
struct offer_info {
  std::string server;            ///< name of the server
  std::string label;             ///< for messages: `tool echo`
  std::string description = {};  ///< of a prompt
  std::string mime_type = {};    ///< of a resource
};

/// Something that can be called. Immutable. A call under way keeps its `info` alone: what a handler owns may
/// own calls, and would never end.
struct offer {
  std::shared_ptr<const offer_info> info;
  argument_check check = {};  ///< of a tool
  place runs = place::quick;
  std::function<void(call&)> invoke = {};
};

using offer_ptr = std::shared_ptr<const offer>;

/// See above.
class running_call {
 public:
  running_call(actors::request_ptr what, std::shared_ptr<const offer_info> called, json arguments)
      : request_(std::move(what)), info_(std::move(called)), arguments_(std::move(arguments)) {}
  running_call(const running_call&) = delete;
  running_call& operator=(const running_call&) = delete;
  ~running_call();

  actors::request& request() const noexcept { return *request_; }
  const offer_info& info() const noexcept { return *info_; }
  const json& arguments() const noexcept { return arguments_; }

  /// Answers, unless that was done.
  void reply(answer what) noexcept;

  /// Answers that the handler threw the exception that is being handled, and counts that against the server.
  void reply_exception() noexcept;

  /// Runs the handler, here and now.
  static void run(const std::shared_ptr<running_call>& running, const offer& called) noexcept;

 private:
  void fault(std::string_view what) noexcept;

  const actors::request_ptr request_;
  const std::shared_ptr<const offer_info> info_;
  const json arguments_;
};

/// Marks that this thread is in a session's turn, where nothing may wait for that session.
class session_turn {
 public:
  session_turn() noexcept { ++depth_; }
  ~session_turn() { --depth_; }
  session_turn(const session_turn&) = delete;
  session_turn& operator=(const session_turn&) = delete;

  static bool here() noexcept { return depth_ > 0; }

 private:
  static thread_local int depth_;
};

}  // namespace cafmcp::sdk::detail
