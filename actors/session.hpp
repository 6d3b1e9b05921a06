#pragma once
// The actor of one session: it holds the record and is the only one to change it, by operations that it
// stores; it reads what the client sends, keeps account of the calls that run, and sends what goes to the
// client. It runs nothing that can block and nothing that can fail: handlers run in their requests, and what
// they throw stays there. It can be killed at any time: its record is in the store, what waits in its mailbox
// goes to its successor (`session_mail`), and the client of a call that was running is told so.
//
// What a message causes is collected during the actor's turn and goes out at its end: operations to the
// store, and messages to connections on other contexts. Answers wait until what they tell is stored.

#include <caf/allowed_unsafe_message_type.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/exchange.hpp"
#include "actors/session_environment.hpp"
#include "actors/session_input.hpp"
#include "supervisors/base_actor.hpp"

namespace cafmcp::actors {

/// What a session is started with.
struct session_start {
  environment_ptr environment;
  entry_ptr entry;
  persistence::session_record record;
  std::vector<persistence::operation> unstored =
      {};  ///< has made the record, and is stored with what comes first
};

/// Ends it if it was last used before that time and is not in use.
struct expire_session {
  std::int64_t before_ms;
};

/// Lets it leave memory if it is not in use, although it has not been idle for long.
struct passivate_session {};

/// The lists of what is offered that have changed.
struct lists_changed {
  std::uint64_t version = 0;  ///< of the snapshot that has the change; who began with that one knows it
  bool tools = false;
  bool resources = false;
  bool prompts = false;
};

/// A report of a running call.
struct request_mail {
  std::shared_ptr<request_event> event;
};

/// A store that is not done at once is done.
struct session_stored {
  std::uint64_t commit;
  result<void> outcome;
};

/// A connection on another context did not take messages.
struct session_undelivered {
  std::vector<std::string> messages;
};

/// The actor.
class session final : public otp::base_actor {
 public:
  session(caf::actor_config& config, std::shared_ptr<const session_start> start);

  const char* name() const override { return "session"; }
  caf::behavior make_behavior() override;

 protected:
  void terminate(const caf::error& reason) override;

 private:
  using clock = std::chrono::steady_clock;

  // A call that runs.
  struct running_call {
    request_ptr request;
    exchange_ptr where;
    std::shared_ptr<server_stats> stats;
    clock::time_point started;
    std::uint64_t attachment = 0;  // which WebSocket it came over
    std::string id;                // canonical
    bool done = false;
  };

  // What a connection on another context is to be told at the end of the turn.
  struct remote_output {
    transport::channel_ptr channel;
    std::vector<transport::outgoing> messages;
    std::optional<transport::channel_end> end;
  };

  // What comes in (session.cpp).
  void on_mail(session_mail& mail);
  void on_message(session_input in);
  void on_batch(const exchange_ptr& where, const std::string& bytes);
  void handle(const mcp::message& m, const exchange_ptr& where);
  void on_lists_changed(const lists_changed& what);
  void on_expire(std::int64_t before_ms);
  void end(const std::string& why);
  exchange_ptr exchange_for(const session_input& in);
  std::string session_meta() const;
  void touch(bool surely = false);
  void watch_idle(std::chrono::milliseconds after);
  bool in_use() const noexcept;
  bool is_blank() const noexcept;
  void go_passive();

  // Operations (session_state.cpp).
  result<void> stage(persistence::op_kind kind, std::string bytes);
  void commit(std::function<void(const result<void>&)> then = {});
  void stored(std::uint64_t number, const result<void>& outcome);
  void note_stored(const result<void>& outcome);
  void state_get(request_event::get& what);
  void state_put(request_event::put& what);
  void state_increment(request_event::increment& what);
  void state_keys(request_event::keys& what);

  // Calls (session_calls.cpp).
  void start_call(const exchange_ptr& where, mcp::call what);
  bool admit(const exchange_ptr& where, const mcp::call& what, std::string& id);
  void run(running_call& r, server& handler);
  void execute(running_call* r, request_event& event);
  void on_report(request_event event);
  void complete(running_call& r, std::string answer, bool failed);
  void cancel_call(const std::string& canonical_id);
  void end_calls(const std::function<void(running_call&)>& tell);
  void forget_calls(transport::channel_end how);
  void lose_calls(const char* why);
  void prime_later(std::uint64_t serial);
  void calls_changed();

  // What goes out (session_output.cpp).
  void answer(const exchange_ptr& where, std::string bytes, unsigned status = 200);
  void withdraw(const exchange_ptr& where);
  void settle(const exchange_ptr& where, std::string bytes, unsigned status);
  void event(const exchange_ptr& where, std::string bytes);
  void notify(std::string bytes);
  void send_socket(std::string bytes);
  bool send(const transport::channel_ptr& to, transport::outgoing&& message);
  void close(const transport::channel_ptr& to, transport::channel_end why);
  std::optional<transport::outgoing> kept(std::uint64_t stream, std::string bytes);
  void trim_log();
  void flush();

  // Connections (session_attach.cpp).
  void on_attach(session_input in);
  void attach_socket(transport::channel_ptr channel);
  void attach_stream(transport::channel_ptr channel, const event_id& seen);
  void resume_stream(transport::channel_ptr channel, const event_id& seen);
  void replay(const transport::channel_ptr& to, std::uint64_t stream, std::uint64_t after);
  void replay_to_socket();
  void drop_answer(std::string_view raw_id);
  void on_detach(const transport::channel_ptr& channel, std::vector<std::string> unsent);
  void missed(std::vector<std::string> messages);
  void replay_soon();
  void attach_successor(const transport::channel_ptr& channel);
  void close_all(transport::channel_end why);
  void connection_changed();

  const environment_ptr env_;
  const entry_ptr entry_;
  persistence::session_record record_;
  std::size_t here_ = otp::io_pool::none;  // this actor's context
  snapshot_ptr snapshot_;
  std::uint64_t told_version_ = 0;  // of the snapshot that the client knows, or was told to ask for
  std::shared_ptr<const session_info> info_;
  std::shared_ptr<request_mailbox> mailbox_;

  std::unordered_map<std::uint64_t, running_call> running_;       // by serial
  std::unordered_map<std::string, std::uint64_t> running_by_id_;  // canonical id → serial
  std::uint64_t last_serial_ = 0;

  exchange_ptr socket_;                            // the WebSocket's
  std::weak_ptr<void> link_;                       // of the WebSocket, for a successor of this actor
  std::uint64_t attachment_ = 0;                   // counts WebSockets
  bool may_greet_again_ = false;                   // `initialize` renegotiates
  transport::channel_ptr general_;                 // the stream of a GET
  std::map<std::uint64_t, exchange_ptr> streams_;  // POSTs that became streams and are not over
  std::uint64_t delivered_ = 0;                    // messages of stream 0 up to this one were taken
  std::uint64_t logged_bytes_ = 0;                 // of the outbound log
  bool replay_waits_ = false;                      // what a WebSocket missed is sent soon
  std::set<std::uint64_t> dropped_;                // numbers of answers that must not be sent then

  std::vector<persistence::operation> staged_;
  std::unordered_map<std::uint64_t, std::function<void(const result<void>&)>> commits_;
  std::uint64_t last_commit_ = 0;
  std::vector<remote_output> remote_;

  clock::time_point last_input_;  // for `idle`
  bool passive_ = false;          // this actor goes, its session stays
  bool store_failed_ = false;     // this actor goes, because it is ahead of the store
};

}  // namespace cafmcp::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<const cafmcp::actors::session_start>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::actors::expire_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::actors::passivate_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::actors::lists_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::actors::resource_updated)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::actors::request_mail)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::actors::session_stored)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::actors::session_undelivered)
