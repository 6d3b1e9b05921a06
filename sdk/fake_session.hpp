#pragma once
// For tests: a session that calls a native server without a node. It keeps its state in a map, collects what
// requests report, and waits for their answers with a deadline. Thread-safe.

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "actors/server.hpp"
#include "sdk/answer.hpp"

namespace cafmcp::sdk {

/// See above.
class fake_session : public actors::request_mailbox, public std::enable_shared_from_this<fake_session> {
 public:
  static constexpr std::chrono::seconds patience{20};

  /// What came back from one call.
  struct outcome {
    std::optional<std::string> raw;  // nothing: no answer in time
    bool failed = false;
    json answer() const { return raw ? json::parse(*raw) : json::object(); }
    json result() const { return answer().value("result", json::object()); }
    json at(const char* pointer) const {
      const auto all = answer();
      const json::json_pointer place{pointer};
      return all.contains(place) ? all.at(place) : json();
    }
    bool is_error() const { return result().value("isError", false); }
    std::string text() const { return answer().value(json::json_pointer("/result/content/0/text"), ""); }
    int code() const { return answer().value(json::json_pointer("/error/code"), 0); }
    std::string message() const { return answer().value(json::json_pointer("/error/message"), ""); }
  };

  void post(actors::request_event e) override {
    const std::lock_guard lock{mutex_};
    if (gone_)
      return;
    std::visit([&](auto& what) { take(e.serial, what); }, e.body);
    changed_.notify_all();
  }

  /// Runs a call in the session's turn.
  actors::request_ptr start(actors::server& s, mcp::call what) {
    const auto serial = ++serial_;
    what.id = std::to_string(serial);
    auto r = std::make_shared<actors::request>(serial, std::move(what), info, node, shared_from_this());
    for (auto& e : r->run_inline([&] { s.run(r); }))
      post(std::move(e));
    return r;
  }

  actors::request_ptr start_tool(actors::server& s, const std::string& name, const json& arguments) {
    return start(s, {.version = version, .name = name, .arguments = arguments.dump(), .progress_token = "7"});
  }

  outcome wait(const actors::request_ptr& r) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, patience, [&] { return answers_.contains(r->serial()); });
    return answers_.contains(r->serial()) ? answers_[r->serial()] : outcome{};
  }

  outcome call(actors::server& s, mcp::call what) { return wait(start(s, std::move(what))); }

  outcome tool(actors::server& s, const std::string& name, const json& arguments = json::object()) {
    return wait(start_tool(s, name, arguments));
  }

  /// Waits until `condition` holds for this.
  template <class F>
  bool eventually(F condition) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, patience, [&] { return condition(*this); });
  }

  /// Drops everything from now on, as the mailbox of an actor that has ended does.
  void end() {
    const std::lock_guard lock{mutex_};
    gone_ = true;
  }

  mcp::revision version = mcp::last_session_revision;
  std::shared_ptr<const actors::session_info> info =
      std::make_shared<actors::session_info>(actors::session_info{"s-test", 3, "{}"});
  std::shared_ptr<const actors::node_identity> node =
      std::make_shared<actors::node_identity>(actors::node_identity{"n1", "eu", "a"});
  std::map<std::string, std::string> state;
  std::vector<std::string> progress;
  std::vector<std::string> logs;
  std::size_t answers_in_all = 0;

 private:
  using event = actors::request_event;

  void take(std::uint64_t, std::monostate&) {}
  void take(std::uint64_t, event::progress& p) {
    progress.push_back(std::to_string(static_cast<int>(p.value)) + "/" +
                       std::to_string(static_cast<int>(p.total.value_or(-1))) + " " + p.message);
  }
  void take(std::uint64_t, event::log& l) {
    logs.push_back(std::string(mcp::to_string(l.level)) + " " + l.logger + " " + l.data);
  }
  void take(std::uint64_t serial, event::finish& f) {
    ++answers_in_all;
    answers_.try_emplace(serial, outcome{f.answer, f.failed});
  }
  void take(std::uint64_t, event::get& g) {
    const auto at = state.find(g.key);
    settle(g, at == state.end() ? std::optional<std::string>{} : at->second);
  }
  void take(std::uint64_t, event::put& p) {
    if (p.value)
      state[p.key] = *p.value;
    else
      state.erase(p.key);
    settle(p, result<void>{});
  }
  void take(std::uint64_t, event::increment& i) {
    const auto now = json::parse(state.contains(i.key) ? state[i.key] : "0");
    if (!now.is_number_integer())
      return settle(i, result<std::int64_t>{fail(errc::invalid, "not an integer")});
    state[i.key] = std::to_string(now.get<std::int64_t>() + i.by);
    settle(i, result<std::int64_t>{now.get<std::int64_t>() + i.by});
  }
  void take(std::uint64_t, event::keys& k) {
    std::vector<std::string> names;
    for (const auto& [key, value] : state)
      names.push_back(key);
    settle(k, result<std::vector<std::string>>{std::move(names)});
  }

  // Calls back; what the callback reports comes in here again.
  template <class Operation, class T>
  void settle(Operation& what, T value) {
    const auto then = std::move(what.then);
    what.then = nullptr;
    then(std::move(value));
  }

  std::recursive_mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::uint64_t, outcome> answers_;
  std::uint64_t serial_ = 0;
  bool gone_ = false;
};

}  // namespace cafmcp::sdk
